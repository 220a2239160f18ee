/** A window of quota is a UTC day or a UTC month (contract §7.1). */
export type Window = 'day' | 'month';

export const DAY_MS = 86_400_000;

/** Days since 1970-01-01, UTC. */
export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}

/** Months since year 0, UTC: `year * 12 + (month − 1)`. */
export function monthOf(now: number): number {
  const date = new Date(now);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** The month that a day (as of `dayOf`) lies in. */
export function monthOfDay(day: number): number {
  return monthOf(day * DAY_MS);
}

/** `2026-11-22` for a day as of `dayOf`. */
export function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** First and last ISO day of a month as of `monthOf`. */
export function isoDaysOfMonth(month: number): { first: string; last: string } {
  const year = Math.floor(month / 12);
  const first = new Date(Date.UTC(year, month % 12, 1));
  const last = new Date(Date.UTC(year, (month % 12) + 1, 0));
  return { first: first.toISOString().slice(0, 10), last: last.toISOString().slice(0, 10) };
}

/** When the day after `day` begins, in milliseconds since the epoch. */
export function endOfDay(day: number): number {
  return (day + 1) * DAY_MS;
}

/** When the month after the one that `day` lies in begins, in milliseconds since the epoch. */
export function endOfMonthOfDay(day: number): number {
  const next = monthOfDay(day) + 1;
  return Date.UTC(Math.floor(next / 12), next % 12, 1);
}
