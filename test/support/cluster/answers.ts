/** What became of one request. Times are those of `performance.now()`. */
export interface Answer {
  /** Of whose license the request was. */
  readonly licenseId: string;
  /** 0: no head arrived. */
  readonly status: number;
  /** Of an error's body. */
  readonly code: string | undefined;
  /** What went wrong with the connection, before or after the head: ECONNRESET, ETIMEDOUT … */
  readonly error: string | undefined;
  /** X-RateLimit-Remaining. */
  readonly remaining: string | undefined;
  readonly beganAt: number;
  /** When the head had arrived, or it was clear that none would. */
  readonly decidedAt: number;
}

/** The request got neither an answer of the provider nor a refusal for its limit. */
export function hasFailed({ status, error }: Answer): boolean {
  return error !== undefined || (status !== 200 && status !== 429);
}

/** Answers counted by what they are: `{"200": 1000, "429 rate_limit_exceeded": 19000}`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code, error } of answers) {
    const what = [status === 0 ? '' : String(status), code ?? '', error ?? ''].filter((part) => part !== '');
    const kind = what.join(' ');
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** How many were admitted and answered. */
export function served(answers: readonly Answer[]): number {
  return answers.filter(({ status }) => status === 200).length;
}

/** The longest time to a decision. Milliseconds, 0 if there was none. */
export function longestDecision(answers: readonly Answer[]): number {
  return answers.reduce((most, { beganAt, decidedAt }) => Math.max(most, decidedAt - beganAt), 0);
}

/** From the first request that failed to the last one. Seconds, 0 if none did. */
export function secondsOfErrors(answers: readonly Answer[]): number {
  const failed = answers.filter(hasFailed);
  if (failed.length === 0) return 0;
  const first = failed.reduce((least, { beganAt }) => Math.min(least, beganAt), Infinity);
  const last = failed.reduce((most, { decidedAt }) => Math.max(most, decidedAt), 0);
  return (last - first) / 1_000;
}

/** The time that a share of the requests was decided within: 0.99 gives the p99. Milliseconds. */
export function decidedWithin(answers: readonly Answer[], share: number): number {
  const times = answers.map(({ beganAt, decidedAt }) => decidedAt - beganAt).sort((a, b) => a - b);
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
}
