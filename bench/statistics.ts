/** The middle of some measurements and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The spread of measurements, undefined where there are none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** @throws RangeError without values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('no values, no median');
  const lower = sorted.length % 2 === 1 ? upper : (sorted[middle - 1] ?? upper);
  return (lower + upper) / 2;
}

/** The smallest value that at least `percent` of all values do not exceed (nearest rank). @throws RangeError without values */
export function percentile(values: readonly number[] | Float64Array, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil((percent / 100) * sorted.length)));
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError('no values, no percentile');
  return value;
}

/**
 * Combines what two contenders measured round by round. Each pair was measured within seconds, so that a machine that
 * is slower in one round than in another is slower in both halves of a pair.
 */
export function pairwise(
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
  combine: (our: number, their: number) => number,
): Spread | undefined {
  const combined: number[] = [];
  for (const [round, our] of ours.entries()) {
    const their = theirs[round];
    if (our !== undefined && their !== undefined) combined.push(combine(our, their));
  }
  return spreadOf(combined.filter(Number.isFinite));
}
