import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import type { Changes } from './changes.ts';
import type { Actor, Recorder } from './changes-recorder.ts';
import { licenseFrom, type DeviceRow, type LicenseRow, type ProxyKeyRow } from './license-rows.ts';

export interface Device {
  readonly id: number;
  readonly hardwareId: string;
  readonly activatedAt: Date;
  readonly lastActivatedAt: Date;
}

/** The devices that a license is activated on. A removed device keeps its row, which usage refers to. */
export class Devices {
  readonly #db: Knex;
  readonly #clock: Clock;
  readonly #changes: Changes;
  readonly #record: Recorder;

  constructor(db: Knex, clock: Clock, changes: Changes, record: Recorder) {
    this.#db = db;
    this.#clock = clock;
    this.#changes = changes;
    this.#record = record;
  }

  /** In the order in which they were first activated, from behind the device with the id `after`. */
  async list(licenseId: string, limit: number, after = 0): Promise<Device[]> {
    const rows = await this.#db<DeviceRow>('devices')
      .where({ license_id: licenseId })
      .whereNull('removed_at')
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit);
    return rows.map((row) => ({
      id: row.id,
      hardwareId: row.hardware_id,
      activatedAt: row.activated_at,
      lastActivatedAt: row.last_activated_at,
    }));
  }

  async count(licenseId: string): Promise<number> {
    const row = await this.#db('devices')
      .where({ license_id: licenseId })
      .whereNull('removed_at')
      .count<{ count: number }>('* as count')
      .first();
    return row?.count ?? 0;
  }

  async has(licenseId: string, hardwareId: string): Promise<boolean> {
    return (await this.idOf(licenseId, hardwareId)) !== undefined;
  }

  /** Undefined where the license is not activated on it. */
  async idOf(licenseId: string, hardwareId: string): Promise<number | undefined> {
    const row = await this.#db<DeviceRow>('devices')
      .where({ license_id: licenseId, hardware_id: hardwareId })
      .whereNull('removed_at')
      .first('id');
    return row?.id;
  }

  /** Frees the device's place; its proxy keys die with it. False if the license has no such device. */
  async remove(licenseId: string, hardwareId: string, by: Actor): Promise<boolean> {
    const removed = await this.#db.transaction(async (trx) => {
      // Takes turns with an activation of the same device, which would otherwise hand out a key that is dead.
      const row = await trx<LicenseRow>('licenses').where({ id: licenseId }).forUpdate().first();
      if (row === undefined) return false;
      const at = new Date(this.#clock.now());
      const rows = await trx<DeviceRow>('devices')
        .where({ license_id: licenseId, hardware_id: hardwareId })
        .whereNull('removed_at')
        .update({ removed_at: at })
        .returning('id');
      const ids = rows.map(({ id }) => id);
      if (ids.length === 0) return false;
      await trx('proxy_keys').whereIn('device_id', ids).delete();
      const license = licenseFrom(row);
      const before = { hardware_id: hardwareId };
      const change = { before: license, after: license };
      await this.#record(trx, {
        action: 'device.removed',
        target: licenseId,
        license: change,
        before,
        by,
        at,
      });
      return true;
    });
    if (removed) await this.#changes.announce(licenseId);
    return removed;
  }

  /**
   * Ends the proxy keys of all devices of a license, which stay activated: each gets a new key when it activates again.
   * @param graceMs how long the keys still work; those that end sooner anyway still do
   */
  async revokeKeys(
    licenseId: string,
    graceMs: number,
    by: Actor,
  ): Promise<{ count: number; workUntil: Date }> {
    const at = new Date(this.#clock.now());
    const workUntil = new Date(at.getTime() + graceMs);
    const count = await this.#db.transaction(async (trx) => {
      // Takes turns with activations: what they hand out afterwards is not among those that end.
      const row = await trx<LicenseRow>('licenses').where({ id: licenseId }).forUpdate().first();
      if (row === undefined) return 0;
      const ended = await endKeys(trx, licenseId, at, workUntil);
      const license = { before: licenseFrom(row), after: licenseFrom(row) };
      const after = { keys: ended, work_until: workUntil.toISOString() };
      await this.#record(trx, { action: 'keys.revoked', target: licenseId, license, after, by, at });
      return ended;
    });
    await this.#changes.announce(licenseId);
    return { count, workUntil };
  }
}

/** How many keys that worked were ended. */
async function endKeys(trx: Knex, licenseId: string, now: Date, end: Date): Promise<number> {
  const keys = (): Knex.QueryBuilder<ProxyKeyRow> =>
    trx<ProxyKeyRow>('proxy_keys').whereIn(
      'device_id',
      trx('devices').where({ license_id: licenseId }).select('id'),
    );
  await keys().where('expires_at', '<=', now).delete();
  // How many rows a statement met is told differently by the two databases; the rows themselves are not.
  if (end <= now) return (await keys().delete().returning('id')).length;
  const working = await keys().count<{ count: number }>('* as count').first();
  await keys()
    .where((later) => {
      void later.whereNull('expires_at').orWhere('expires_at', '>', end);
    })
    .update({ expires_at: end });
  return working?.count ?? 0;
}
