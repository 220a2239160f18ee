import { compareIds } from '../stores/stream-ids.ts';
import type { Booking } from './admission.ts';

/** A change of a license's counters together with the rows of the ledger that it comes to. */
export interface BookingSet {
  readonly licenseId: string;
  readonly day: number;
  /** Of each counter: above 0 counts, below gives back, 0 changes the rows only. */
  readonly change: number;
  /** What the entries of the stream carry: of two with one tag, the second is a repetition. */
  readonly tag: string;
  readonly rows: readonly Booking[];
}

/** Bookings that Redis has confirmed, in a dataset, up to an entry of its stream. */
export interface JournalEntry {
  readonly dataset: string;
  readonly id: string;
  readonly bookings: BookingSet;
  /** Of `performance.now()`: when it was counted, or had to wait for Redis. */
  readonly at: number;
}

/** More than one instance admits in minutes; beyond, the oldest are let go. */
const MOST_ENTRIES = 100_000;

/**
 * What this instance has had confirmed by Redis and does not know to be in PostgreSQL yet: about a second's worth. If
 * Redis loses its data in that time, it is booked again from here.
 */
export class Journal {
  readonly #entries = new Map<string, JournalEntry[]>();
  #size = 0;

  add(partition: string, entry: JournalEntry): void {
    const entries = this.#entries.get(partition);
    if (entries === undefined) this.#entries.set(partition, [entry]);
    else entries.push(entry);
    this.#size += 1;
    if (this.#size > MOST_ENTRIES) this.#dropOldest();
  }

  /** Lets go what the ledger holds by now. */
  confirm(partition: string, dataset: string, foldedTo: string): void {
    const isFolded = (entry: JournalEntry): boolean =>
      entry.dataset === dataset && compareIds(entry.id, foldedTo) <= 0;
    const entries = this.#entries.get(partition);
    if (entries?.[0] !== undefined && isFolded(entries[0])) {
      this.#set(
        partition,
        entries.filter((entry) => !isFolded(entry)),
      );
    }
  }

  entries(partition: string): readonly JournalEntry[] {
    return this.#entries.get(partition) ?? [];
  }

  /** Takes out what Redis was found to have lost. */
  remove(partition: string, lost: ReadonlySet<JournalEntry>): void {
    this.#set(
      partition,
      this.entries(partition).filter((entry) => !lost.has(entry)),
    );
  }

  get size(): number {
    return this.#size;
  }

  /** The least `at` of all entries, which is not the first one's after an outage; undefined: there is none. */
  get oldestAt(): number | undefined {
    let oldest: number | undefined;
    for (const entries of this.#entries.values()) {
      for (const { at } of entries) oldest = Math.min(oldest ?? Infinity, at);
    }
    return oldest;
  }

  #set(partition: string, entries: JournalEntry[]): void {
    this.#size += entries.length - this.entries(partition).length;
    if (entries.length === 0) this.#entries.delete(partition);
    else this.#entries.set(partition, entries);
  }

  #dropOldest(): void {
    const [partition, entries] = [...this.#entries].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
    if (partition !== undefined && entries !== undefined) {
      this.#set(partition, entries.slice(Math.ceil(entries.length / 2)));
    }
  }
}
