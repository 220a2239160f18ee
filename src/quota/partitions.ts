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

/** The base of a license's counter keys. */
export function counterKey(prefix: string, licenseId: string): string {
  return `${prefix}:{${partitionOf(licenseId)}}:${licenseId}`;
}

/** The stream of a partition's usage events. */
export function streamKey(prefix: string, partition: string): string {
  return `${prefix}:{${partition}}:usage`;
}
