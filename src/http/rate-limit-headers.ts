import type { QuotaLimits, Used } from '../quota/admission.ts';
import { isoDay } from '../quota/windows.ts';
import { UNLIMITED } from '../licensing/tiers.ts';

/**
 * `X-RateLimit-*` for an authenticated request. What remains is what may still be sent until the reset: the less of
 * the day's rest and the month's. Where nobody knows, since the counters are away, there is no saying.
 */
export function rateLimitHeaders(limits: QuotaLimits, used: Used | undefined): Record<string, string> {
  if (used === undefined) return { 'X-RateLimit-Limit': String(limits.daily) };
  const rests = [
    ...(limits.daily === UNLIMITED ? [] : [limits.daily - used.today]),
    ...(limits.monthly === UNLIMITED ? [] : [limits.monthly - used.thisMonth]),
  ];
  return {
    'X-RateLimit-Limit': String(limits.daily),
    'X-RateLimit-Remaining': String(rests.length === 0 ? UNLIMITED : Math.max(0, Math.min(...rests))),
    'X-RateLimit-Reset': resetTime(used.day),
  };
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
