import type { Redis } from 'ioredis';
import type { Knex } from 'knex';
import { applyToLedger, LedgerChanges, type FlushReport } from './ledger.ts';

/** How often each instance looks for what is to be folded; contract §7.3 allows 2 s in all. Milliseconds. */
const FOLD_EVERY = 500;
const ENTRIES_A_ROUND = 1_000;

interface Stream {
  /** The partition's name, and its row in `ledger_offsets`. */
  source: string;
  key: string;
}

interface Options {
  db: Knex;
  redis: Redis;
  streams: Stream[];
  /** `2026-11-22` for a day since 1970-01-01. */
  isoDay: (day: number) => string;
  /** Told how each round went; what a failed one left is for the next. */
  report: FlushReport;
}

/**
 * Folds the usage events that admissions append to Redis streams into the ledger. Any instance folds any stream: the
 * lock on its offset's row is the lease, and the sums and the new offset are committed together, so that each event
 * counts exactly once whichever process dies when.
 */
export class StreamFold {
  readonly #options: Options;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#schedule();
  }

  /** Folds one stream to the end of what it held when called. @throws the store's error */
  async fold(source: string): Promise<void> {
    const stream = this.#options.streams.find((candidate) => candidate.source === source);
    if (stream === undefined) throw new Error(`there is no stream ${source}`);
    while (await this.#foldOnce(stream, 'wait'));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#foldAllAndReport();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#foldAllAndReport().finally(() => this.#schedule());
    }, FOLD_EVERY);
  }

  async #foldAllAndReport(): Promise<void> {
    try {
      await this.#foldAll();
      this.#options.report.succeeded();
    } catch (error) {
      this.#options.report.failed(error);
    }
  }

  async #foldAll(): Promise<void> {
    const { redis, streams } = this.#options;
    const lengths = await Promise.all(streams.map(({ key }) => redis.xlen(key)));
    for (const [index, stream] of streams.entries()) {
      if ((lengths[index] ?? 0) > 0) while (await this.#foldOnce(stream, 'skip'));
    }
  }

  /** Whether there may be more. */
  async #foldOnce(stream: Stream, whenLocked: 'wait' | 'skip'): Promise<boolean> {
    const { db, redis } = this.#options;
    const folded = await db.transaction(async (trx) => {
      await trx('ledger_offsets')
        .insert({ source: stream.source, dataset: '', last_id: '0-0' })
        .onConflict('source')
        .ignore();
      const query = trx('ledger_offsets').where({ source: stream.source }).forUpdate();
      if (whenLocked === 'skip') void query.skipLocked();
      const offset = await query.first<{ last_id: string } | undefined>('last_id');
      if (offset === undefined) return undefined;
      const entries = await redis.xrange(stream.key, `(${offset.last_id}`, '+', 'COUNT', ENTRIES_A_ROUND);
      const lastId = entries.at(-1)?.[0];
      if (lastId === undefined) return { lastId: offset.last_id, more: false };
      await applyToLedger(trx, this.#sum(entries));
      await trx('ledger_offsets').where({ source: stream.source }).update({ last_id: lastId });
      return { lastId, more: entries.length === ENTRIES_A_ROUND };
    });
    if (folded === undefined) return false;
    // What is committed may go. If this fails, the next round trims it: the offset has moved on.
    await redis.xtrim(stream.key, 'MINID', after(folded.lastId));
    return folded.more;
  }

  #sum(entries: [id: string, fields: string[]][]): LedgerChanges {
    const changes = new LedgerChanges();
    for (const [, fields] of entries) {
      const [, licenseId = '', , device, , provider = '', , model = '', , day, , requests, , refunded] =
        fields;
      changes.add({
        licenseId,
        deviceId: Number(device),
        provider,
        model,
        day: this.#options.isoDay(Number(day)),
        requests: Number(requests),
        refunded: Number(refunded),
      });
    }
    return changes;
  }
}

/** The smallest stream id behind another. */
function after(id: string): string {
  const [time = '0', sequence = '0'] = id.split('-');
  return `${time}-${BigInt(sequence) + 1n}`;
}
