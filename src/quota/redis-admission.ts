import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { BoundedCalls } from '../stores/bounded-calls.ts';
import type { OperationReport } from '../stores/operation-report.ts';
import { breakIfSilent, onConnected, type RedisClient } from '../stores/redis.ts';
import {
  bookingsOf,
  type Admission,
  type Call,
  type Counts,
  type Decision,
  type QuotaLimits,
  type Reported,
  type Settlement,
  type Ticket,
  type Used,
} from './admission.ts';
import { packCall } from '../stores/usage-events.ts';
import { Bookings } from './bookings.ts';
import { Datasets, type Replacement } from './datasets.ts';
import { Journal, type BookingSet, type JournalEntry } from './journal.ts';
import { partitionOf, ScriptKeys } from './partitions.ts';
import { defineScripts, OTHER_DATASET, readDecision } from './scripts.ts';
import type { StreamLedger } from './stream-ledger.ts';

const COLD = 0;
const ADMITTED = 1;
const DAY_USED_UP = 2;
const LEDGER_BEHIND = -2;

/** A day may end between reading the ledger and calling again, or a dataset be replaced; more than that is a fault. */
const MAX_TRIES = 6;
const LOOK_AROUND_EVERY = 500;
/** A Redis that owes an answer for so long counts as away. Milliseconds. */
const SILENT_AFTER = 1_000;

interface Options {
  /** A connection of its own, whose calls are bounded here. */
  redis: RedisClient;
  prefix: string;
  /** How long Redis may take to answer. Milliseconds. */
  timeoutMs: number;
  ledger: StreamLedger;
  /** Replaces Redis' own clock, for tests. */
  clock?: Clock | undefined;
  replaced?: ((event: Replacement) => void) | undefined;
  /** Told of each call. */
  report?: OperationReport | undefined;
}

/** What may have been counted; the day where it is known. */
interface Counted {
  call: Call;
  count: number;
  day: number | undefined;
  tag: string;
}

type Seed = Counts & { day: number; foldedTo: string };

/**
 * Counts in Redis, for any number of instances: each decision is one call of a Lua script there. A decision whose
 * answer was lost is looked for afterwards and taken back, since its client was told that nobody knows.
 */
export class RedisAdmission implements Admission {
  readonly bookings: Bookings;
  readonly datasets: Datasets;
  readonly journal = new Journal();
  readonly #redis: RedisClient;
  readonly #keys: ScriptKeys;
  readonly #timeoutMs: number;
  readonly #ledger: StreamLedger;
  readonly #clock: Clock | undefined;
  readonly #calls: BoundedCalls;
  readonly #warming = new Map<string, Promise<Seed>>();
  readonly #timer: NodeJS.Timeout;
  readonly #instance = randomBytes(6).toString('base64url');
  #tags = 0;

  constructor(options: Options) {
    const { redis, prefix, timeoutMs, ledger } = options;
    this.#redis = redis;
    this.#keys = new ScriptKeys(prefix);
    this.#timeoutMs = timeoutMs;
    this.#ledger = ledger;
    this.#clock = options.clock;
    this.#calls = new BoundedCalls(timeoutMs, options.report);
    defineScripts(redis);
    const parts = { redis, calls: this.#calls, journal: this.journal };
    this.datasets = new Datasets({
      ...parts,
      prefix,
      ledger,
      rebook: (dataset, lost) => this.bookings.rebook(dataset, lost),
      replaced: options.replaced,
    });
    this.bookings = new Bookings({ ...parts, keys: this.#keys, datasets: this.datasets });
    redis.on('close', () => this.datasets.forget());
    onConnected(redis, () => {
      this.datasets.forget();
      void this.#recover();
    });
    this.#timer = setInterval(() => this.#lookAround(), LOOK_AROUND_EVERY);
  }

  admit(call: Call, limits: QuotaLimits): Promise<Decision> {
    return this.#count(call, limits, 1);
  }

  async report(call: Call, count: number): Promise<Reported> {
    const decision = await this.#count(call, { daily: -1, monthly: -1 }, count);
    if (decision.outcome === 'unavailable') return decision;
    if (decision.used === undefined) throw new Error('Redis has counted and told no count');
    return { outcome: 'booked', used: decision.used };
  }

  async #count(call: Call, limits: QuotaLimits, count: number): Promise<Decision> {
    const partition = partitionOf(call.licenseId);
    const tag = this.nextTag();
    try {
      let seed: Seed | undefined;
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const dataset = this.datasets.get(partition) ?? (await this.#resolve(partition));
        const reply = await this.#ask({ call, count, limits }, { partition, dataset, tag, seed });
        const { decision, day, today, thisMonth, id } = readDecision(reply);
        const used = { day, today, thisMonth };
        if (decision === ADMITTED) {
          const ticket = { call, day, tag };
          this.journal.add(partition, new Admitted(dataset, id, ticket, count));
          return { outcome: 'admitted', ticket, used };
        }
        if (decision > ADMITTED)
          return { outcome: 'refused', exceeded: decision === DAY_USED_UP ? 'day' : 'month', used };
        if (decision === OTHER_DATASET) this.datasets.replaced(partition, dataset);
        if (decision === LEDGER_BEHIND) await this.#ledger.fold(partition, dataset);
        if (decision === COLD || decision === LEDGER_BEHIND)
          seed = await this.#warm(call.licenseId, day, { partition, dataset });
      }
      throw new Error(`the counters of ${call.licenseId} stayed cold after ${MAX_TRIES} tries`);
    } catch (cause) {
      return { outcome: 'unavailable', cause };
    }
  }

  async settle(ticket: Ticket, settlement: Settlement): Promise<void> {
    const rows = bookingsOf(ticket, settlement);
    if (rows.length === 0) return;
    const { call, day, tag } = ticket;
    const change = settlement.refund ? -1 : 0;
    await this.bookings.book({ licenseId: call.licenseId, day, change, tag: `-${tag}`, rows });
  }

  async used(licenseId: string): Promise<Used> {
    const partition = partitionOf(licenseId);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const dataset = this.datasets.get(partition) ?? (await this.#resolve(partition));
      const keys = this.#keys.of(partition, dataset, licenseId);
      const [warm, day, today, thisMonth] = await this.#calls.run(partition, () =>
        this.#redis.licensifyUsed(...keys, dataset, this.#now()),
      );
      if (warm === 1) return { day, today, thisMonth };
      if (warm === OTHER_DATASET) this.datasets.replaced(partition, dataset);
      else {
        await this.#ledger.fold(partition, dataset);
        const counts = await this.#warm(licenseId, day, { partition, dataset });
        return { day, today: counts.today, thisMonth: counts.thisMonth };
      }
    }
    throw new Error(`the dataset of partition ${partition} changed again and again`);
  }

  /** Whether Redis was there when it was last asked. */
  get answers(): boolean {
    return this.#redis.status === 'ready' && this.#calls.silentFor() < SILENT_AFTER;
  }

  /** What was counted and is not known to be in the ledger: how much, and since when (`performance.now()`). */
  waiting(): { events: number; oldestAt: number | undefined } {
    const { bookings, oldestAt } = this.bookings.waiting;
    const oldest = Math.min(oldestAt ?? Infinity, this.journal.oldestAt ?? Infinity);
    return { events: this.journal.size + bookings, oldestAt: oldest === Infinity ? undefined : oldest };
  }

  /** A name for an admission that no other has, of whatever instance. */
  nextTag(): string {
    return `${this.#instance}${(this.#tags += 1).toString(36)}`;
  }

  /** Books what can be booked, also of what Redis was found to have lost just now. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.datasets.isComplete) await this.datasets.verify();
    await this.bookings.close();
  }

  #ask(
    { call, count, limits }: { call: Call; count: number; limits: QuotaLimits },
    {
      partition,
      dataset,
      tag,
      seed,
    }: { partition: string; dataset: string; tag: string; seed: Seed | undefined },
  ): Promise<string> {
    const [names, counters, stream] = this.#keys.of(partition, dataset, call.licenseId);
    const numbers = `${limits.daily} ${limits.monthly} ${count} ${this.#now()}`;
    const args = [names, counters, stream, dataset, numbers, packCall(call), tag];
    if (seed !== undefined)
      args.push(String(seed.day), String(seed.today), String(seed.thisMonth), seed.foldedTo);
    return this.#calls.run(partition, () => this.#redis.licensifyAdmit(...args), {
      late: (reply) => {
        const { decision, day } = readDecision(reply);
        if (decision === ADMITTED) this.bookings.bookLater(undoing({ call, count, day, tag }));
      },
      lost: () => this.bookings.bookLater(undoing({ call, count, day: undefined, tag }), tag),
    });
  }

  /** Requests of this instance that find the same counter missing share one reading of the ledger. */
  #warm(licenseId: string, day: number, stream: { partition: string; dataset: string }): Promise<Seed> {
    const key = `${licenseId} ${day} ${stream.dataset}`;
    let warming = this.#warming.get(key);
    if (warming === undefined) {
      warming = this.#ledger
        .counts(licenseId, day, stream)
        .then((counts) => ({ ...counts, day }))
        .finally(() => this.#warming.delete(key));
      this.#warming.set(key, warming);
    }
    return warming;
  }

  /** @throws if a partition cannot be verified within the time that an answer may take */
  async #resolve(partition: string): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`partition ${partition} was not verified within ${this.#timeoutMs} ms`);
      timer = setTimeout(() => setImmediate(reject, error), this.#timeoutMs);
    });
    try {
      return await Promise.race([this.datasets.resolve(partition), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #recover(): Promise<void> {
    await this.datasets.verify();
    await this.bookings.flush();
  }

  /** What no request asks for is looked after all the same: partitions to be verified, and a silent connection. */
  #lookAround(): void {
    breakIfSilent(this.#redis, this.#calls.silentFor());
    if (!this.datasets.isComplete && this.#redis.status === 'ready') void this.#recover();
  }

  #now(): string | number {
    return this.#clock?.now() ?? '';
  }
}

/** An admission in the journal: what it came to is asked for only where Redis has lost it. */
class Admitted implements JournalEntry {
  readonly dataset: string;
  readonly id: string;
  readonly at = performance.now();
  readonly #ticket: Ticket;
  readonly #count: number;

  constructor(dataset: string, id: string, ticket: Ticket, count: number) {
    this.dataset = dataset;
    this.id = id;
    this.#ticket = ticket;
    this.#count = count;
  }

  get bookings(): BookingSet {
    return bookingOf(this.#ticket, this.#count);
  }
}

/** The booking of an admission, or of so many requests that were reported. */
export function bookingOf({ call, day, tag }: Ticket, count = 1): BookingSet {
  const rows = [{ ...call, day, requests: count, refunded: 0 }];
  return { licenseId: call.licenseId, day, change: count, tag, rows };
}

/** Takes an admission back that came to nothing: no provider has seen it, so it is no refund either. */
function undoing({ call, count, day, tag }: Counted): Omit<BookingSet, 'day'> & { day: number | undefined } {
  const rows = [{ ...call, day: day ?? 0, requests: -count, refunded: 0 }];
  return { licenseId: call.licenseId, day, change: -count, tag: `-${tag}`, rows };
}
