import type { LicenseView } from './license-view.ts';
import type { NewEvent } from './event-types.ts';

const DAY_MS = 86_400_000;

/** Per cent of a limit at which it is told. */
export const THRESHOLDS = [80, 100] as const;

/** What has been counted of a license in the UTC day `day` (days since 1970-01-01) and in its month. */
export interface Used {
  readonly day: number;
  readonly today: number;
  readonly thisMonth: number;
}

export interface Limits {
  readonly daily: number;
  readonly monthly: number;
}

/** One that was reached. */
export interface Reached {
  window: 'day' | 'month';
  threshold: number;
  used: number;
  limit: number;
}

/**
 * Which thresholds were reached, as a number that differs wherever there is something new to tell; 0: none was. On the path
 * of each request: no memory, no division.
 */
export function codeOf({ day, today, thisMonth }: Used, { daily, monthly }: Limits): number {
  let bits = 0;
  if (daily > 0 && today * 5 >= daily * 4) bits |= today >= daily ? 3 : 1;
  if (monthly > 0 && thisMonth * 5 >= monthly * 4) bits |= thisMonth >= monthly ? 12 : 4;
  return bits === 0 ? 0 : day * 16 + bits;
}

/** All thresholds that were reached. A limit of 0 or −1 (unlimited) has none. */
export function reachedOf(used: Used, { daily, monthly }: Limits): Reached[] {
  const windows = [
    { window: 'day', used: used.today, limit: daily },
    { window: 'month', used: used.thisMonth, limit: monthly },
  ] as const;
  return windows.flatMap((of) =>
    THRESHOLDS.filter((threshold) => of.limit > 0 && of.used * 100 >= of.limit * threshold).map(
      (threshold) => ({ ...of, threshold }),
    ),
  );
}

/** Its event, which is the same one whoever finds it: once in a window for a license and a threshold. */
export function thresholdEvent(license: LicenseView, day: number, reached: Reached, now: number): NewEvent {
  const { window, threshold, used, limit } = reached;
  const date = new Date(day * DAY_MS).toISOString().slice(0, window === 'day' ? 10 : 7);
  return {
    type: 'usage.threshold',
    at: now,
    licenseId: license.id,
    data: { ...license.data, usage: { window, threshold, used, limit, resets_at: endOf(window, day) } },
    onceKey: `usage.threshold ${license.id} ${date} ${threshold}`,
  };
}

function endOf(window: 'day' | 'month', day: number): string {
  const date = new Date(day * DAY_MS);
  if (window === 'day') return new Date((day + 1) * DAY_MS).toISOString();
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)).toISOString();
}

/** `2026-11-01` for a day in November of 2026. */
export function firstOfMonth(day: number): string {
  return `${new Date(day * DAY_MS).toISOString().slice(0, 7)}-01`;
}

export function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
