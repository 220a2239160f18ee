import { crc32 } from 'node:zlib';

/** How many partitions there are; part of the data's layout, never to be changed in place. */
export const PARTITIONS = 64;

/** The names of all partitions, p00 to p63. */
export const partitionNames: readonly string[] = Array.from(
  { length: PARTITIONS },
  (_, index) => `p${String(index).padStart(2, '0')}`,
);

/** The partition of a license: its counters and its part of the ledger's stream lie there, in one cluster slot. */
export function partitionOf(licenseId: string): string {
  return partitionNames[crc32(licenseId) % PARTITIONS] ?? 'p00';
}

/** Where Redis keeps the name of the dataset that a partition holds (dataset.lua). */
export function datasetKey(prefix: string, partition: string): string {
  return `${prefix}:{${partition}}:dataset`;
}

/** In front of each license's counter keys: those of another dataset are not even seen. */
function countersKey(prefix: string, partition: string, dataset: string): string {
  return `${prefix}:{${partition}}:${dataset}:`;
}

/** The keys of the scripts, which of a partition differ only by license: made once for each dataset. */
export class ScriptKeys {
  readonly #prefix: string;
  readonly #ofPartition = new Map<
    string,
    { dataset: string; names: string; counters: string; stream: string }
  >();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** KEYS of admit.lua, book.lua and used.lua. */
  of(
    partition: string,
    dataset: string,
    licenseId: string,
  ): [dataset: string, counters: string, stream: string] {
    let keys = this.#ofPartition.get(partition);
    if (keys?.dataset !== dataset) {
      keys = {
        dataset,
        names: datasetKey(this.#prefix, partition),
        counters: countersKey(this.#prefix, partition, dataset),
        stream: streamKey(this.#prefix, partition, dataset),
      };
      this.#ofPartition.set(partition, keys);
    }
    return [keys.names, keys.counters + licenseId, keys.stream];
  }
}

/** The stream of a dataset's usage events. */
export function streamKey(prefix: string, partition: string, dataset: string): string {
  return `${prefix}:{${partition}}:${dataset}:usage`;
}
