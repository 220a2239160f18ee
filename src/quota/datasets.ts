import { randomBytes } from 'node:crypto';
import type { BoundedCalls } from '../stores/bounded-calls.ts';
import type { RedisClient } from '../stores/redis.ts';
import { compareIds } from '../stores/stream-ids.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { datasetKey, partitionNames, streamKey } from './partitions.ts';
import type { FoldedDataset, StreamLedger } from './stream-ledger.ts';

/** A partition that could not be verified is not asked for again for so long. Milliseconds. */
const RETRY_AFTER = 200;

interface Options {
  redis: RedisClient;
  prefix: string;
  calls: BoundedCalls;
  ledger: StreamLedger;
  journal: Journal;
  /** Books once more what Redis was found to have lost. */
  rebook: (dataset: string, lost: Iterable<JournalEntry>) => Promise<void>;
  /** Told when Redis, or another one in its place, was found to have lost what it knew of some partitions. */
  replaced?: ((event: Replacement) => void) | undefined;
}

/** How many partitions have another dataset than the one that this instance counted in before. */
export interface Replacement {
  readonly partitions: number;
}

/**
 * Which dataset each partition of Redis holds. Nothing is counted in a partition before this instance has verified it:
 * at the start, and each time that a connection was made anew, since it may be another Redis that answers, an empty
 * one, or one that has forgotten its last moments. Then
 * - a dataset that the ledger knows more of than Redis does is replaced by a new one, whose counters start from the ledger;
 * - what is left of others is folded, and they are closed;
 * - what this instance had had confirmed and Redis has lost is booked again.
 */
export class Datasets {
  readonly #options: Options;
  readonly #known = new Map<string, string>();
  /** What each partition was last verified to hold. */
  readonly #last = new Map<string, string>();
  readonly #failed = new Map<string, { error: Error; at: number }>();
  #verifying: Promise<void> | undefined;
  #generation = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The dataset of a partition, if it has been verified. */
  get(partition: string): string | undefined {
    return this.#known.get(partition);
  }

  verified(): { partition: string; dataset: string }[] {
    return [...this.#known].map(([partition, dataset]) => ({ partition, dataset }));
  }

  /** The same, verifying it first if need be. @throws what stands in the way of that */
  async resolve(partition: string): Promise<string> {
    for (let tries = 0; tries < 3; tries += 1) {
      const dataset = this.#known.get(partition);
      if (dataset !== undefined) return dataset;
      const failure = this.#failed.get(partition);
      if (failure !== undefined && performance.now() - failure.at < RETRY_AFTER) throw failure.error;
      await this.verify();
    }
    throw this.#failed.get(partition)?.error ?? new Error(`partition ${partition} could not be verified`);
  }

  /** Verifies all partitions that are not: one at a time for all who ask. Never rejects. */
  verify(): Promise<void> {
    this.#verifying ??= this.#verifyAll().finally(() => (this.#verifying = undefined));
    return this.#verifying;
  }

  /** A script has found another dataset in the place of this one. */
  replaced(partition: string, dataset: string): void {
    if (this.#known.get(partition) === dataset) this.#known.delete(partition);
    this.#failed.delete(partition);
  }

  /** What the ledger was found to know: of a dataset that is closed, or not the only one, another has to take the place. */
  compare(folded: readonly FoldedDataset[]): void {
    for (const { partition, dataset, closed } of folded) {
      const known = this.#known.get(partition);
      if (known !== undefined && closed === (known === dataset)) this.replaced(partition, known);
    }
  }

  /** The connection is gone, and with it all certainty. */
  forget(): void {
    this.#generation += 1;
    this.#known.clear();
    this.#failed.clear();
  }

  get isComplete(): boolean {
    return this.#known.size === partitionNames.length;
  }

  async #verifyAll(): Promise<void> {
    const generation = this.#generation;
    const missing = partitionNames.filter((partition) => !this.#known.has(partition));
    // Read before Redis is asked: in this order the ledger cannot be ahead of a Redis that has lost nothing.
    const folded = await this.#options.ledger.datasets().catch((error: unknown) => ({ error }));
    let replaced = 0;
    await Promise.all(
      missing.map(async (partition) => {
        try {
          const dataset = await this.#verifyOne(partition, folded);
          if (generation !== this.#generation) return;
          const before = this.#last.get(partition) ?? dataset;
          if (before !== dataset) replaced += 1;
          this.#known.set(partition, dataset);
          this.#last.set(partition, dataset);
          this.#failed.delete(partition);
        } catch (error) {
          this.#failed.set(partition, { error: error as Error, at: performance.now() });
        }
      }),
    );
    if (replaced > 0) this.#options.replaced?.({ partitions: replaced });
  }

  async #verifyOne(partition: string, folded: FoldedDataset[] | { error: unknown }): Promise<string> {
    if (!Array.isArray(folded)) {
      const [name] = await this.#nameOf(partition);
      // While the database is away, a Redis that is the one of before goes on.
      if (name !== this.#last.get(partition)) throw folded.error;
      await this.#recover(partition, name, new Map());
      return name;
    }
    const ofPartition = folded.filter((candidate) => candidate.partition === partition);
    const dataset = await this.#trustworthy(partition, ofPartition);
    const ends = new Map<string, string>();
    for (const { dataset: other, foldedTo, closed } of ofPartition) {
      if (other === dataset) continue;
      ends.set(other, closed ? foldedTo : await this.#options.ledger.close(partition, other));
    }
    await this.#recover(partition, dataset, ends);
    return dataset;
  }

  /**
   * The dataset that Redis holds, or a new one in its place, if its counters do not hold all that the ledger does: it has
   * forgotten something, or somebody counts in another Redis.
   */
  async #trustworthy(partition: string, folded: FoldedDataset[]): Promise<string> {
    const [name, lastId] = await this.#nameOf(partition);
    const record = folded.find(({ dataset }) => dataset === name);
    const isAlone = folded.every(({ dataset, closed }) => closed || dataset === name);
    const isNew = record === undefined && this.#last.get(partition) !== name;
    const isWhole = record === undefined || (!record.closed && compareIds(record.foldedTo, lastId) <= 0);
    const isSound = isNew || (isAlone && isWhole);
    return isSound ? name : (await this.#nameOf(partition, name))[0];
  }

  #nameOf(partition: string, replacing = ''): Promise<[name: string, lastId: string]> {
    const { redis, prefix, calls } = this.#options;
    const fresh = randomBytes(6).toString('base64url');
    return calls.run(partition, () =>
      redis.licensifyDataset(datasetKey(prefix, partition), fresh, replacing),
    );
  }

  /** @param ends the last entry that was folded of each other dataset */
  async #recover(partition: string, dataset: string, ends: Map<string, string>): Promise<void> {
    const { journal, ledger, rebook } = this.#options;
    const entries = journal.entries(partition);
    const lost = new Set<JournalEntry>();
    for (const entry of entries) {
      if (entry.dataset === dataset) continue;
      let end = ends.get(entry.dataset);
      if (end === undefined) {
        end = await ledger.close(partition, entry.dataset);
        ends.set(entry.dataset, end);
      }
      if (compareIds(entry.id, end) > 0) lost.add(entry);
    }
    const present = entries.filter((entry) => entry.dataset === dataset);
    for (const entry of await this.#missing(partition, dataset, present)) lost.add(entry);
    // Those of other datasets that are not lost are in the ledger.
    journal.remove(
      partition,
      new Set(entries.filter((entry) => entry.dataset !== dataset || lost.has(entry))),
    );
    if (lost.size > 0) await rebook(dataset, lost);
  }

  async #missing(
    partition: string,
    dataset: string,
    entries: readonly JournalEntry[],
  ): Promise<JournalEntry[]> {
    if (entries.length === 0) return [];
    const { redis, prefix, calls } = this.#options;
    const key = streamKey(prefix, partition, dataset);
    const ids = entries.map(({ id }) => id);
    const indexes = await calls.run(partition, () => redis.licensifyMissing(key, ...ids));
    return indexes.flatMap((index) => entries[index - 1] ?? []);
  }
}
