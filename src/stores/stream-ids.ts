/** The id before all entries of a Redis stream. */
export const FIRST_ID = '0-0';

/** Compares two ids of Redis stream entries, `<milliseconds>-<sequence>`: below 0 if the first is the earlier one. */
export function compareIds(one: string, other: string): number {
  // As many digits: as texts they have the same order, which takes a fifth of the time.
  if (one.length === other.length && one.indexOf('-') === other.indexOf('-'))
    return one < other ? -1 : Number(one > other);
  const [time = 0, sequence = 0] = one.split('-').map(Number);
  const [otherTime = 0, otherSequence = 0] = other.split('-').map(Number);
  return time - otherTime || sequence - otherSequence;
}
