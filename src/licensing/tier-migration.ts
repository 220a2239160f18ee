import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import type { Changes } from './changes.ts';
import { difference, licenseFacts, type Actor, type Recorder } from './changes-recorder.ts';
import type { License } from './license.ts';
import { licenseFrom, type LicenseRow } from './license-rows.ts';

/** Licenses that are locked together: others wait for them no longer than a moment. */
const BATCH = 200;

interface Options {
  db: Knex;
  clock: Clock;
  changes: Changes;
  record: Recorder;
}

/** Moves licenses from one tier to another. Revoked ones stay: they are history, and no tier decides about them. */
export class TierMigration {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** How many licenses there are to move, and the first of them. */
  async preview(from: string, examples: number): Promise<{ count: number; examples: License[] }> {
    const { db } = this.#options;
    const rows = await movable(db, from).orderBy('id').limit(examples);
    const counted = await db('licenses')
      .where({ tier: from })
      .whereNot({ status: 'revoked' })
      .count<{ count: number | string }[]>({ count: '*' });
    return { count: Number(counted[0]?.count ?? 0), examples: rows.map(licenseFrom) };
  }

  /**
   * Moves them, some in each transaction; their overrides, expiry and status stay. What stops it in its midst leaves
   * whole licenses in either tier, and to call it again goes on.
   * @returns how many were moved
   */
  async move(from: string, to: string, by: Actor): Promise<number> {
    let moved = 0;
    for (;;) {
      const ids = await this.#options.db.transaction((trx) => this.#moveSome(trx, from, to, by));
      for (const id of ids) await this.#options.changes.announce(id);
      moved += ids.length;
      if (ids.length === 0) return moved;
    }
  }

  async #moveSome(trx: Knex, from: string, to: string, by: Actor): Promise<string[]> {
    const rows = await movable(trx, from).orderBy('id').limit(BATCH).forUpdate();
    const at = new Date(this.#options.clock.now());
    const ids = rows.map(({ id }) => id);
    const after = await trx<LicenseRow, LicenseRow[]>('licenses')
      .whereIn('id', ids)
      .update({ tier: to, updated_at: at })
      .returning('*');
    const byId = new Map(after.map((row) => [row.id, licenseFrom(row)]));
    for (const before of rows.map(licenseFrom)) {
      const license = byId.get(before.id);
      if (license === undefined) continue;
      const facts = difference(licenseFacts(before), licenseFacts(license));
      const change = { action: 'license.updated' as const, target: before.id };
      await this.#options.record(trx, { ...change, license: { before, after: license }, ...facts, by, at });
    }
    return ids;
  }
}

function movable(db: Knex, tier: string): Knex.QueryBuilder<LicenseRow, LicenseRow[]> {
  return db<LicenseRow, LicenseRow[]>('licenses').where({ tier }).whereNot({ status: 'revoked' });
}
