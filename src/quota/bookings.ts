import type { BoundedCalls } from '../stores/bounded-calls.ts';
import type { RedisClient } from '../stores/redis.ts';
import { packCall } from '../stores/usage-events.ts';
import type { Datasets } from './datasets.ts';
import type { BookingSet, Journal, JournalEntry } from './journal.ts';
import { partitionOf, type ScriptKeys } from './partitions.ts';
import { OTHER_DATASET } from './scripts.ts';

const BOOKED = 1;
const NOT_FOUND = 3;

const RETRY_EVERY = 500;
/** A command on a connection that broke may still be carried out by a Redis that hangs, when that goes on. Milliseconds. */
const LOOK_FOR = 5_000;

/** What could not be booked yet. The day may be that of what it undoes. */
interface Pending {
  bookings: Omit<BookingSet, 'day'> & { day: number | undefined };
  /** Only if an entry with this tag is there. */
  required: string;
  lookUntil: number | undefined;
  /** Of `performance.now()`. */
  since: number;
}

type Outcome = 'booked' | 'not found' | 'repeated';

interface Options {
  redis: RedisClient;
  keys: ScriptKeys;
  calls: BoundedCalls;
  datasets: Datasets;
  journal: Journal;
}

/** Books changes of what was counted, and goes on trying with what cannot be booked at once: each of them once. */
export class Bookings {
  readonly #options: Options;
  readonly #pending = new Map<string, Pending>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  /** The tag of what is on its way to Redis. */
  #sending: string | undefined;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Books now, or later if that fails. */
  async book(bookings: BookingSet): Promise<void> {
    try {
      await this.#send(pendingOf(bookings), { look: false });
    } catch {
      this.bookLater(bookings);
    }
  }

  /** Books once more, in a partition that is being verified, what Redis has lost. */
  async rebook(dataset: string, lost: Iterable<JournalEntry>): Promise<void> {
    for (const { bookings, at } of lost) {
      const pending = { ...pendingOf(bookings), since: at };
      const outcome = await this.#sendTo(dataset, pending, true).catch(() => 'other dataset');
      if (outcome === 'other dataset') this.#keep(pending);
    }
  }

  /** @param required the tag of an admission that may not have been carried out: then there is nothing to book */
  bookLater(bookings: Pending['bookings'], required = ''): void {
    this.#keep(pendingOf(bookings, required));
  }

  /** Takes back what has not been booked yet. Returns whether it had not. */
  cancel(tag: string): boolean {
    return tag !== this.#sending && this.#pending.delete(tag);
  }

  get pending(): readonly BookingSet[] {
    return [...this.#pending.values()].flatMap(({ bookings, required }) =>
      required === '' && bookings.day !== undefined ? [{ ...bookings, day: bookings.day }] : [],
    );
  }

  /** How many are pending, and since when the oldest of them is (`performance.now()`). */
  get waiting(): { bookings: number; oldestAt: number | undefined } {
    let oldestAt: number | undefined;
    for (const { since } of this.#pending.values()) oldestAt = Math.min(oldestAt ?? Infinity, since);
    return { bookings: this.#pending.size, oldestAt };
  }

  /** Tries all that is pending. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
      if (this.#pending.size > 0) this.#schedule();
    });
    return this.#flushing;
  }

  /** Tries once more, and stops. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.flush();
  }

  #keep(pending: Pending): void {
    this.#pending.set(pending.bookings.tag, pending);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, RETRY_EVERY);
  }

  async #flush(): Promise<void> {
    const away = new Set<string>();
    for (const [tag, pending] of [...this.#pending]) {
      const partition = partitionOf(pending.bookings.licenseId);
      if (away.has(partition)) continue;
      if (!this.#pending.has(tag)) continue; // taken back meanwhile
      this.#sending = tag;
      try {
        const outcome = await this.#send(pending, { look: true });
        if (outcome === 'not found' && this.#mayStillCome(pending)) continue;
        if (this.#pending.get(tag) === pending) this.#pending.delete(tag);
      } catch {
        away.add(partition); // what is left is for the next time
      } finally {
        this.#sending = undefined;
      }
    }
  }

  #mayStillCome(pending: Pending): boolean {
    pending.lookUntil ??= performance.now() + LOOK_FOR;
    return performance.now() < pending.lookUntil;
  }

  async #send(pending: Pending, { look }: { look: boolean }): Promise<Outcome> {
    const { datasets } = this.#options;
    const partition = partitionOf(pending.bookings.licenseId);
    for (let tries = 0; tries < 3; tries += 1) {
      const dataset = datasets.get(partition) ?? (await datasets.resolve(partition));
      const outcome = await this.#sendTo(dataset, pending, look);
      if (outcome !== 'other dataset') return outcome;
      datasets.replaced(partition, dataset);
    }
    throw new Error(`the dataset of partition ${partition} changed again and again`);
  }

  async #sendTo(
    dataset: string,
    { bookings, required, since }: Pending,
    look: boolean,
  ): Promise<Outcome | 'other dataset'> {
    const { redis, keys, calls, journal } = this.#options;
    const { licenseId, day, change, tag, rows } = bookings;
    const partition = partitionOf(licenseId);
    const head = [dataset, day ?? '', change, tag, required, look ? '1' : '0'];
    const values = rows.flatMap((row) => [packCall(row), row.requests, row.refunded]);
    const [outcome, id = '', onDay = 0] = await calls.run(partition, () =>
      redis.licensifyBook(...keys.of(partition, dataset, licenseId), ...head, ...values),
    );
    if (outcome === OTHER_DATASET) return 'other dataset';
    if (outcome !== BOOKED) return outcome === NOT_FOUND ? 'not found' : 'repeated';
    journal.add(partition, { dataset, id, bookings: { ...bookings, day: onDay }, at: since });
    return 'booked';
  }
}

function pendingOf(bookings: Pending['bookings'], required = ''): Pending {
  return { bookings, required, lookUntil: undefined, since: performance.now() };
}
