/** What can be a provider's fault, or ours towards it. */
export const upstreamErrors = [
  'auth',
  'rate_limited',
  'server_error',
  'timeout',
  'unreachable',
  'cut_short',
] as const;

export type UpstreamError = (typeof upstreamErrors)[number];

const byOutcome: ReadonlyMap<string, UpstreamError> = new Map([
  ['provider_auth_failed', 'auth'],
  ['upstream_timeout', 'timeout'],
  ['upstream_unreachable', 'unreachable'],
  ['cut_short', 'cut_short'],
]);

/** @param answered whether the status is the provider's own: a 429 may also be ours */
export function upstreamErrorOf(
  outcome: string,
  status: number,
  answered: boolean,
): UpstreamError | undefined {
  if (outcome !== 'ok') return byOutcome.get(outcome);
  if (!answered || status < 429) return undefined;
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'server_error' : undefined;
}
