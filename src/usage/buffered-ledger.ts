import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { applyToLedger, LedgerChanges, type FlushReport, type LedgerChange } from './ledger.ts';

/** How long a booking waits at most before it is written. Milliseconds. */
const FLUSH_EVERY = 500;

/**
 * The ledger of a gateway that counts in its own process: bookings are added up and written twice a second, each batch
 * exactly once. A batch whose commit was not confirmed is looked up by its number before it is written again.
 */
export class BufferedLedger {
  readonly #db: Knex;
  readonly #report: FlushReport;
  readonly #source = `process-${randomUUID()}`;
  readonly #timer: NodeJS.Timeout;
  #pending = new LedgerChanges();
  #pendingSince: number | undefined;
  /** Handed to the database, not known to be committed. */
  #batch: { id: number; changes: LedgerChanges; events: number; since: number | undefined } | undefined;
  #booked = 0;
  #written = 0;
  #lastId = 0;
  #flushing: Promise<void> | undefined;

  constructor(db: Knex, report: FlushReport) {
    this.#db = db;
    this.#report = report;
    this.#timer = setInterval(() => void this.#flushAndReport(), FLUSH_EVERY);
  }

  book(change: LedgerChange): void {
    this.#pending.add(change);
    this.#pendingSince ??= performance.now();
    this.#booked += 1;
  }

  /** How many bookings have been written. */
  get written(): number {
    return this.#written;
  }

  /** How many have not, and since when the oldest of them waits (`performance.now()`). */
  get waiting(): { events: number; oldestAt: number | undefined } {
    return { events: this.#booked - this.#written, oldestAt: this.#batch?.since ?? this.#pendingSince };
  }

  /** Writes all that was booked before the call. @throws the database's error */
  async flush(): Promise<void> {
    // A flush that is under way may have left before the caller's booking came.
    await this.#flushing?.catch(() => undefined);
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    await this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushAndReport();
    await this.#db('ledger_offsets').where({ source: this.#source }).delete();
  }

  async #flushAndReport(): Promise<void> {
    try {
      await this.flush();
      this.#report.succeeded();
    } catch (error) {
      this.#report.failed(error);
    }
  }

  async #flush(): Promise<void> {
    while (this.#batch !== undefined || this.#pending.size > 0) {
      if (this.#batch === undefined) {
        const events = this.#booked - this.#written;
        this.#batch = { id: (this.#lastId += 1), changes: this.#pending, events, since: this.#pendingSince };
        this.#pending = new LedgerChanges();
        this.#pendingSince = undefined;
      }
      await this.#write(this.#batch);
      this.#written += this.#batch.events;
      this.#batch = undefined;
    }
  }

  async #write({ id, changes }: { id: number; changes: LedgerChanges }): Promise<void> {
    await this.#db.transaction(async (db) => {
      await db('ledger_offsets')
        .insert({ source: this.#source, dataset: 'process', last_id: '0' })
        .onConflict('source')
        .ignore();
      // Locked: a commit of this batch whose answer was lost may still be on its way, in a backend that hangs.
      const offset = await db('ledger_offsets')
        .where({ source: this.#source })
        .forUpdate()
        .first<{ last_id: string } | undefined>('last_id');
      if (Number(offset?.last_id) >= id) return;
      await applyToLedger(db, changes);
      await db('ledger_offsets')
        .where({ source: this.#source })
        .update({ last_id: String(id) });
    });
  }
}
