import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import type { Changes } from './changes.ts';
import type { DeviceRow } from './license-rows.ts';

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

  constructor(db: Knex, clock: Clock, changes: Changes) {
    this.#db = db;
    this.#clock = clock;
    this.#changes = changes;
  }

  async list(licenseId: string): Promise<Device[]> {
    const rows = await this.#db<DeviceRow>('devices')
      .where({ license_id: licenseId })
      .whereNull('removed_at')
      .orderBy('id');
    return rows.map((row) => ({
      id: row.id,
      hardwareId: row.hardware_id,
      activatedAt: row.activated_at,
      lastActivatedAt: row.last_activated_at,
    }));
  }

  async has(licenseId: string, hardwareId: string): Promise<boolean> {
    const row = await this.#db<DeviceRow>('devices')
      .where({ license_id: licenseId, hardware_id: hardwareId })
      .whereNull('removed_at')
      .first('id');
    return row !== undefined;
  }

  /** Frees the device's place; its proxy keys die with it. False if the license has no such device. */
  async remove(licenseId: string, hardwareId: string): Promise<boolean> {
    const removed = await this.#db.transaction(async (db) => {
      // Takes turns with an activation of the same device, which would otherwise hand out a key that is dead.
      await db('licenses').where({ id: licenseId }).forUpdate().first('id');
      const rows = await db<DeviceRow>('devices')
        .where({ license_id: licenseId, hardware_id: hardwareId })
        .whereNull('removed_at')
        .update({ removed_at: new Date(this.#clock.now()) })
        .returning('id');
      const ids = rows.map(({ id }) => id);
      if (ids.length > 0) await db('proxy_keys').whereIn('device_id', ids).delete();
      return ids.length > 0;
    });
    if (removed) await this.#changes.announce(licenseId);
    return removed;
  }
}
