import type { QuotaLimits, Used } from '../quota/admission.ts';
import { dayOf, isoDay } from '../quota/windows.ts';
import { UNLIMITED } from '../licensing/tiers.ts';

/**
 * `X-RateLimit-*` for an authenticated request. What remains is what may still be sent until the reset: the less of
 * the day's rest and the month's. While nobody knows what is used, since the counters are away, it is left out, unless
 * nothing limits the license.
 * @param now milliseconds since the epoch: tells the day where the counters do not
 */
export function rateLimitHeaders(
  limits: QuotaLimits,
  used: Used | undefined,
  now: number,
): Record<string, string> {
  const headers: Record<string, string> = { 'X-RateLimit-Limit': String(limits.daily) };
  const remaining = remainingOf(limits, used);
  if (remaining !== undefined) headers['X-RateLimit-Remaining'] = String(remaining);
  headers['X-RateLimit-Reset'] = resetTime(used?.day ?? dayOf(now));
  return headers;
}

function remainingOf({ daily, monthly }: QuotaLimits, used: Used | undefined): number | undefined {
  if (daily === UNLIMITED && monthly === UNLIMITED) return UNLIMITED;
  if (used === undefined) return undefined;
  const today = daily === UNLIMITED ? Infinity : daily - used.today;
  const thisMonth = monthly === UNLIMITED ? Infinity : monthly - used.thisMonth;
  return Math.max(0, Math.min(today, thisMonth));
}

const resetTimes = new Map<number, string>();

/** The next UTC midnight after a day, as ISO 8601; the same for every request of the day. */
function resetTime(day: number): string {
  let text = resetTimes.get(day);
  if (text === undefined) {
    text = `${isoDay(day + 1)}T00:00:00Z`;
    resetTimes.clear();
    resetTimes.set(day, text);
  }
  return text;
}
