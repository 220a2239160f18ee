import type { Counts } from './admission.ts';

/** A dataset of a partition, as far as the ledger has come with its stream. */
export interface FoldedDataset {
  readonly partition: string;
  readonly dataset: string;
  /** The last entry that the ledger holds. */
  readonly foldedTo: string;
  /** It has been folded to its end, and nothing of it will be any more. */
  readonly closed: boolean;
}

/** The ledger in PostgreSQL that the streams of Redis are folded into, as counting needs it. */
export interface StreamLedger {
  /** What is in the ledger, and up to which entry of the stream that is: both at one moment. */
  counts(
    licenseId: string,
    day: number,
    stream: { partition: string; dataset: string },
  ): Promise<Counts & { foldedTo: string }>;
  datasets(): Promise<FoldedDataset[]>;
  /** Folds all that a stream holds when called. */
  fold(partition: string, dataset: string): Promise<void>;
  /** Folds what is left of a dataset that Redis has another one in place of, for good. Returns the last entry folded. */
  close(partition: string, dataset: string): Promise<string>;
}
