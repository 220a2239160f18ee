import type { Knex } from 'knex';

/** Milliseconds. */
const FIRST_AFTER = 60_000;
const LOOK_EVERY = 3_600_000;
/** Rows a statement: it is over in a moment, and what folds the same days waits no longer. */
const BATCH = 2_000;
/** Any fixed number serves, as long as it is this project's own. */
const LOCK = 0x11ce460;

/** Told what was deleted, and what went wrong. */
export interface RetentionReport {
  deleted(rows: number, before: string): void;
  failed(error: unknown): void;
}

interface Options {
  db: Knex;
  /** Whole months that are kept before the current one, at least one. */
  months: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  report: RetentionReport;
}

/**
 * Deletes usage that is older than so many whole months: an hour's look, on one instance at a time. The current month,
 * which limits are counted by, and the one before are always kept, by the machine's clock and by the database's.
 */
export class UsageRetention {
  readonly #options: Options;
  #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(options: Options) {
    if (options.months < 1) throw new RangeError('the month before the current one is always kept');
    this.#options = options;
    this.#timer = this.#after(FIRST_AFTER);
  }

  /** Deletes what is due, in small steps; returns how many rows. Another instance that is at it leaves none to do. */
  async deleteOld(): Promise<number> {
    const { report } = this.#options;
    const before = await this.#boundary();
    let rows = 0;
    for (;;) {
      const deleted = await this.#deleteBatch(before);
      rows += deleted ?? 0;
      if (deleted === undefined || deleted < BATCH || this.#closed) break;
    }
    if (rows > 0) report.deleted(rows, before);
    return rows;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#round = this.#look().finally(() => {
        if (!this.#closed) this.#timer = this.#after(LOOK_EVERY);
      });
    }, ms).unref();
  }

  async #look(): Promise<void> {
    try {
      await this.deleteOld();
    } catch (error) {
      this.#options.report.failed(error);
    }
  }

  /** The first day that is kept, by whichever clock is behind: one that runs ahead must not delete what counts. */
  async #boundary(): Promise<string> {
    const { db, now, months } = this.#options;
    const { rows } = await db.raw<{ rows: [{ boundary: string }] }>(
      `SELECT (date_trunc('month', least(now(), ?::timestamptz) AT TIME ZONE 'UTC') - make_interval(months => ?))::date
         AS boundary`,
      [new Date(now()).toISOString(), months],
    );
    return rows[0].boundary;
  }

  /** Undefined where another instance has the lock, which ends with its transaction, however that ends. */
  async #deleteBatch(before: string): Promise<number | undefined> {
    return this.#options.db.transaction(async (trx) => {
      const { rows } = await trx.raw<{ rows: [{ mine: boolean }] }>(
        'SELECT pg_try_advisory_xact_lock(?) AS mine',
        [LOCK],
      );
      if (!rows[0].mine) return undefined;
      const some = trx('usage').where('day', '<', before).orderBy('day').limit(BATCH).select('ctid');
      const deleted = await trx('usage').whereRaw('ctid = ANY (ARRAY(?))', [some]).delete();
      // The sums of a day go with its last row.
      if (deleted < BATCH) {
        await trx('usage_totals')
          .where('day', '<', before)
          .whereNotExists(trx('usage').where('day', '<', before).select(trx.raw('1')))
          .delete();
      }
      return deleted;
    });
  }
}
