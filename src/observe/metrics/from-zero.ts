/**
 * What is there with 0 before its first event. A series that begins with its first event has no increase by it, so an
 * alert on `rate()` or `increase()` would miss the first outage of each process
 * (https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics). All of it is known from the start but
 * the tiers, which come with their file.
 */

/** What of a tier decides which series it has. */
export interface CountedTier {
  readonly id: string;
  readonly onCounterOutage: 'deny' | 'allow';
}

export const providerNames = ['openai', 'anthropic'] as const;

type Ends = readonly (readonly [outcome: string, status: number])[];

/** The ends of a request that we failed ourselves before its key was known, and with it its tier. */
export const endsWithoutTier: Ends = [
  ['database_unavailable', 503],
  ['internal_error', 500],
];

/** The ends that ratios of alerts are of: those that we failed, those that a provider did, and those that went well. */
export const endsOfATier: Ends = [
  ...endsWithoutTier,
  ['counters_unavailable', 503],
  ['provider_auth_failed', 502],
  ['upstream_unreachable', 502],
  ['upstream_timeout', 504],
  ['cut_short', 200],
  ['ok', 200],
];

export const decisions: readonly (readonly [decision: string, window: string])[] = [
  ['admitted', 'none'],
  ['refused', 'day'],
  ['refused', 'month'],
  ['unavailable', 'none'],
];
