import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import type { Changes } from './changes.ts';
import type { Actor, Recorder } from './changes-recorder.ts';
import { licenseFrom, type DeviceRow, type LicenseRow } from './license-rows.ts';

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
    const row = await this.#db<DeviceRow>('devices')
      .where({ license_id: licenseId, hardware_id: hardwareId })
      .whereNull('removed_at')
      .first('id');
    return row !== undefined;
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
}
