import type { Knex } from 'knex';
import type { RedisClient } from '../stores/redis.ts';
import { compareIds, FIRST_ID } from '../stores/stream-ids.ts';
import { sumEvents } from '../stores/usage-events.ts';
import { applyToLedger, LedgerChanges, type FlushReport } from './ledger.ts';

/** How often each instance looks for what is to be folded; contract §7.3 allows 2 s in all. Milliseconds. */
const FOLD_EVERY = 500;
const ENTRIES_A_ROUND = 1_000;
/**
 * Entries stay in the stream for so long after the ledger has them: bookings that are repeated look for themselves
 * there. Milliseconds.
 */
const KEPT_FOR = 30_000;
/** What nothing follows is trimmed at every so many-th round, by this machine's clock, which may differ by as much. */
const TRIM_EVERY = 20;
const MOST_SKEW = 30_000;

/** The stream of one dataset of a partition. Its row in `ledger_offsets` is `<partition>/<dataset>`. */
export interface StreamName {
  readonly partition: string;
  readonly dataset: string;
}

/** How far the ledger has come with a stream. */
export interface StreamOffset extends StreamName {
  readonly foldedTo: string;
  readonly closed: boolean;
}

interface Options {
  db: Knex;
  redis: RedisClient;
  keyOf: (stream: StreamName) => string;
  /** The streams that events are appended to at present. */
  streams: () => StreamName[];
  /** `2026-11-22` for a day since 1970-01-01. */
  isoDay: (day: number) => string;
  /** Told how each round went; what a failed one left is for the next. */
  report: FlushReport;
  /** Told at each round how far the ledger is, and which streams it has closed. */
  folded: (offsets: StreamOffset[]) => void;
}

/**
 * Folds the usage events that admissions append to Redis streams into the ledger. Any instance folds any stream: the
 * lock on its offset's row is the lease, and the sums and the new offset are committed together, so that each event
 * counts exactly once whichever process dies when.
 */
export class StreamFold {
  readonly #options: Options;
  readonly #underWay = new Map<string, Promise<string>>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #rounds = 0;
  #written = 0;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#schedule();
  }

  /** Folds one stream to the end of what it held when called. @throws the store's error */
  async fold(stream: StreamName): Promise<void> {
    const source = sourceOf(stream);
    // One that is under way may have read the stream before the caller's events came: another follows it.
    const before = this.#underWay.get(source);
    if (before !== undefined) {
      await before.catch(() => undefined);
      const next = this.#underWay.get(source);
      if (next !== undefined && next !== before) {
        await next;
        return;
      }
    }
    const folding = this.#foldToEnd(stream).finally(() => {
      if (this.#underWay.get(source) === folding) this.#underWay.delete(source);
    });
    this.#underWay.set(source, folding);
    await folding;
  }

  /**
   * Folds what is left of a stream that nothing is appended to any more, and notes that nothing of it will be folded
   * again, should it come back. Returns the last entry folded.
   */
  async close(stream: StreamName): Promise<string> {
    const { db, redis, keyOf } = this.#options;
    const foldedTo = await this.#foldToEnd(stream);
    await db('ledger_offsets')
      .where({ source: sourceOf(stream) })
      .update({ closed: true });
    await redis.del(keyOf(stream), trimmedKey(keyOf(stream))).catch(() => undefined); // Redis may have lost it anyway
    return foldedTo;
  }

  /** How many events this instance has folded. */
  get written(): number {
    return this.#written;
  }

  async offsets(): Promise<StreamOffset[]> {
    const rows = await this.#options
      .db('ledger_offsets')
      .whereLike('source', '%/%')
      .select<{ source: string; dataset: string; last_id: string; closed: boolean }[]>();
    return rows.map(({ source, dataset, last_id, closed }) => {
      return { partition: source.slice(0, source.indexOf('/')), dataset, foldedTo: last_id, closed };
    });
  }

  /** Folds all that there is now, and tells how that went. */
  async round(): Promise<void> {
    await this.#round;
    await this.#foldAllAndReport();
  }

  /** Ends the rounds with a last one. */
  async stop(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.round();
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
    const { redis, keyOf } = this.#options;
    this.#rounds += 1;
    const offsets = await this.offsets();
    this.#options.folded(offsets);
    const foldedTo = new Map(offsets.map((offset) => [sourceOf(offset), offset.foldedTo]));
    const streams = this.#options.streams();
    // It may be that none is known since Redis is away: then nothing was folded, and the round has failed.
    if (streams.length === 0) await redis.ping();
    const last = await Promise.all(
      streams.map((stream) => redis.xrevrange(keyOf(stream), '+', '-', 'COUNT', 1)),
    );
    for (const [index, stream] of streams.entries()) {
      const lastId = last[index]?.[0]?.[0] ?? FIRST_ID;
      const folded = foldedTo.get(sourceOf(stream)) ?? FIRST_ID;
      if (compareIds(lastId, folded) <= 0) {
        if (folded !== FIRST_ID && this.#rounds % TRIM_EVERY === 0) await this.#trim(stream, folded);
        continue;
      }
      while ((await this.#foldOnce(stream, 'skip'))?.more === true);
    }
  }

  async #foldToEnd(stream: StreamName): Promise<string> {
    for (;;) {
      const folded = await this.#foldOnce(stream, 'wait');
      if (folded?.more !== true) return folded?.foldedTo ?? FIRST_ID;
    }
  }

  /** Undefined where another instance has the lock. */
  async #foldOnce(
    stream: StreamName,
    whenLocked: 'wait' | 'skip',
  ): Promise<{ foldedTo: string; more: boolean } | undefined> {
    const { db, redis, keyOf } = this.#options;
    const source = sourceOf(stream);
    const folded = await db.transaction(async (trx) => {
      await trx('ledger_offsets')
        .insert({ source, dataset: stream.dataset, last_id: FIRST_ID })
        .onConflict('source')
        .ignore();
      const query = trx('ledger_offsets').where({ source }).forUpdate();
      if (whenLocked === 'skip') void query.skipLocked();
      const offset = await query.first<{ last_id: string; closed: boolean } | undefined>('last_id', 'closed');
      if (offset === undefined) return undefined;
      const nothing = { foldedTo: offset.last_id, more: false, events: 0 };
      if (offset.closed) return nothing;
      const from = `(${offset.last_id}`;
      const entries = await redis.xrange(keyOf(stream), from, '+', 'COUNT', ENTRIES_A_ROUND);
      const foldedTo = entries.at(-1)?.[0];
      if (foldedTo === undefined) return nothing;
      await applyToLedger(trx, this.#sum(entries));
      await trx('ledger_offsets').where({ source }).update({ last_id: foldedTo });
      return { foldedTo, more: entries.length === ENTRIES_A_ROUND, events: entries.length };
    });
    if (folded === undefined || folded.events === 0) return folded;
    this.#written += folded.events;
    await this.#trim(stream, folded.foldedTo);
    return folded;
  }

  /**
   * What has been committed for long may go, except the last entry: it tells how far Redis had come. If this fails, a
   * later round does it.
   */
  async #trim(stream: StreamName, foldedTo: string): Promise<void> {
    const { redis, keyOf } = this.#options;
    const key = keyOf(stream);
    const foldedAt = Number(foldedTo.split('-')[0]);
    const old = Math.max(foldedAt - KEPT_FOR, Date.now() - KEPT_FOR - MOST_SKEW);
    const upTo = old < foldedAt ? `${Math.max(0, old)}-0` : foldedTo;
    // Whoever read the ledger before these entries reached it learns that it has to read again. A Redis that is full
    // refuses to note that, and can only be helped by trimming.
    await redis.set(trimmedKey(key), upTo).catch(() => undefined);
    await redis.xtrim(key, 'MINID', upTo);
  }

  #sum(entries: [id: string, fields: string[]][]): LedgerChanges {
    const changes = new LedgerChanges();
    for (const sum of sumEvents(entries)) changes.add({ ...sum, day: this.#options.isoDay(sum.day) });
    return changes;
  }
}

function sourceOf({ partition, dataset }: StreamName): string {
  return `${partition}/${dataset}`;
}

function trimmedKey(key: string): string {
  return `${key}:trimmed`;
}
