import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import type { Changes } from './changes.ts';
import type { Actor, Recorder } from './changes-recorder.ts';
import { canonicalLicenseKey, displayPrefix, hashKey, hashKeyText, type ProxyKeys } from './keys.ts';
import { effectiveLimits, refusalAt, type License, type LicenseRefusal } from './license.ts';
import { licenseFrom, type DeviceRow, type LicenseRow, type ProxyKeyRow } from './license-rows.ts';
import { rawDeviceKey, type DeviceKey } from './proofs/device-key.ts';
import { isOnAnotherLicense } from './one-license-per-device.ts';
import { UNLIMITED, type Tiers } from './tiers.ts';
import { Turns } from './turns.ts';

export type ActivationResult =
  | { activated: true; license: License; proxyKey: string }
  | { activated: false; refusal: LicenseRefusal | 'public_key_required' }
  | ({ activated: false } & NoPlace);

/** A refusal of a device, whatever the license's state is. */
type NoPlace =
  | { refusal: 'device_limit_reached'; maxActivations: number }
  | { refusal: 'device_already_licensed'; tier: string };

/** What asks to be activated. */
export interface ActivatingDevice {
  hardwareId: string;
  /** Binds the proxy key to a key of the device. */
  deviceKey?: DeviceKey | undefined;
}

/** Gives devices proxy keys of their own, as many devices as the license allows. */
export class Activation {
  readonly #db: Knex;
  readonly #clock: Clock;
  readonly #changes: Changes;
  readonly #record: Recorder;
  readonly #keys: ProxyKeys;
  readonly #tiers: () => Tiers;
  readonly #graceMs: number;
  readonly #turns = new Turns();

  /** @param options.graceMs how long a device's earlier proxy keys outlive a new one */
  constructor(options: {
    db: Knex;
    clock: Clock;
    changes: Changes;
    record: Recorder;
    keys: ProxyKeys;
    tiers: () => Tiers;
    graceMs: number;
  }) {
    this.#db = options.db;
    this.#clock = options.clock;
    this.#changes = options.changes;
    this.#record = options.record;
    this.#keys = options.keys;
    this.#tiers = options.tiers;
    this.#graceMs = options.graceMs;
  }

  /**
   * Activates a license on a device. The same device again is a retry or a rotation: it gets a new key, and its
   * earlier ones live on for the grace time, each bound to what it was bound to.
   */
  async activate(typedKey: string, device: ActivatingDevice, by: Actor): Promise<ActivationResult> {
    const key = canonicalLicenseKey(typedKey);
    if (key === undefined) return { activated: false, refusal: 'invalid_license_key' };
    // They would wait for the license's row anyway; waiting here they take no connection from anybody else.
    const result = await this.#turns.take(hashKeyText(key), () =>
      this.#db.transaction((db) => this.#activate(db, hashKey(key), device, by)),
    );
    if (result.activated) await this.#changes.announce(result.license.id);
    return result;
  }

  async #activate(
    db: Knex,
    keyHash: Buffer,
    { hardwareId, deviceKey }: ActivatingDevice,
    by: Actor,
  ): Promise<ActivationResult> {
    // The row lock makes activations of one license take turns: between the count and the insert nobody comes.
    const row = await db<LicenseRow>('licenses').where({ key_hash: keyHash }).forUpdate().first();
    if (row === undefined) return { activated: false, refusal: 'invalid_license_key' };
    const license = licenseFrom(row);
    const refusal = refusalAt(license, this.#tiers(), this.#clock.now());
    if (refusal !== undefined) return { activated: false, refusal };
    const isKeyRequired = this.#tiers().get(license.tier)?.requireProofOfPossession === true;
    if (isKeyRequired && deviceKey === undefined) return { activated: false, refusal: 'public_key_required' };

    const claim = await this.#claimDevice(db, license, hardwareId);
    if ('refusal' in claim) return { activated: false, ...claim };
    const proxyKey = await this.#rotateKey(db, claim.id, deviceKey);
    await this.#record(db, {
      action: claim.isNew ? 'license.activated' : 'device.renewed',
      target: license.id,
      license: { before: license, after: license },
      after: { hardware_id: hardwareId },
      by,
      at: new Date(this.#clock.now()),
    });
    return { activated: true, license, proxyKey };
  }

  /** The device, which is new where it took a place, or why the license has no place for it. */
  async #claimDevice(
    db: Knex,
    license: License,
    hardwareId: string,
  ): Promise<{ id: number; isNew: boolean } | NoPlace> {
    const now = new Date(this.#clock.now());
    const { id: licenseId, tier } = license;
    const known = await db<DeviceRow>('devices')
      .where({ license_id: licenseId, hardware_id: hardwareId })
      .first();
    if (known?.removed_at === null) {
      await db<DeviceRow>('devices').where({ id: known.id }).update({ last_activated_at: now });
      return { id: known.id, isNew: false };
    }
    if (this.#tiers().get(tier)?.oneLicensePerDevice === true) {
      const isTaken = await isOnAnotherLicense(db, license, hardwareId, now);
      if (isTaken) return { refusal: 'device_already_licensed', tier };
    }
    const max = effectiveLimits(license, this.#tiers()).devices;
    const active = await db<DeviceRow>('devices')
      .where({ license_id: licenseId })
      .whereNull('removed_at')
      .select('id');
    if (max !== UNLIMITED && active.length >= max)
      return { refusal: 'device_limit_reached', maxActivations: max };
    const [device] = await db<DeviceRow>('devices')
      .insert({ license_id: licenseId, hardware_id: hardwareId, activated_at: now, last_activated_at: now })
      .onConflict(['license_id', 'hardware_id'])
      .merge({ activated_at: now, last_activated_at: now, removed_at: null })
      .returning('id');
    if (device === undefined) throw new Error('the device was not stored');
    return { id: device.id, isNew: true };
  }

  async #rotateKey(db: Knex, deviceId: number, deviceKey: DeviceKey | undefined): Promise<string> {
    const now = this.#clock.now();
    const keys = (): Knex.QueryBuilder<ProxyKeyRow> =>
      db<ProxyKeyRow>('proxy_keys').where({ device_id: deviceId });
    await keys().where('expires_at', '<=', new Date(now)).delete();
    await keys()
      .whereNull('expires_at')
      .update({ expires_at: new Date(now + this.#graceMs) });
    const proxyKey = this.#keys.issue();
    await db<ProxyKeyRow>('proxy_keys').insert({
      key_hash: hashKey(proxyKey),
      key_prefix: displayPrefix(proxyKey),
      device_id: deviceId,
      created_at: new Date(now),
      public_key: deviceKey === undefined ? null : rawDeviceKey(deviceKey),
    });
    return proxyKey;
  }
}
