/** What is left, as the last answer said it. null stands for unlimited. */
export interface Quota {
  /** Requests a day. */
  limit: number | null;
  /** What may still be sent until the reset: the less of the day's rest and the month's. */
  remaining: number | null;
  resetAt: Date;
}

/** Reads `X-RateLimit-*`; undefined where an answer has none, or where counters are away. */
export function readQuota(headers: Headers): Quota | undefined {
  const [limit, remaining] = ['limit', 'remaining'].map((name) => headers.get(`x-ratelimit-${name}`));
  const resetAt = new Date(headers.get('x-ratelimit-reset') ?? '');
  if (limit == null || remaining == null || Number.isNaN(resetAt.getTime())) return undefined;
  return { limit: orUnlimited(Number(limit)), remaining: orUnlimited(Number(remaining)), resetAt };
}

/** The gateway writes −1 for unlimited. */
export function orUnlimited(value: number): number | null {
  return value === -1 ? null : value;
}
