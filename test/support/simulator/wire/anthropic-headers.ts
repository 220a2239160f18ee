/** The organization that every simulated Anthropic answer names; no client of a gateway may learn it. */
export const ANTHROPIC_ORGANIZATION = '5e1f0000-0000-4000-8000-00000000c0de';
/** The workspace that every simulated Anthropic answer names. */
export const ANTHROPIC_WORKSPACE = 'wrkspc_simulatedOperator';

const RESET = '2026-12-01T00:00:00Z';

const CONSTANT = [
  ['anthropic-ratelimit-requests-limit', '4000'],
  ['anthropic-ratelimit-requests-remaining', '3999'],
  ['anthropic-ratelimit-requests-reset', RESET],
  ['anthropic-ratelimit-tokens-limit', '480000'],
  ['anthropic-ratelimit-tokens-remaining', '479000'],
  ['anthropic-ratelimit-tokens-reset', RESET],
  ['anthropic-ratelimit-input-tokens-limit', '400000'],
  ['anthropic-ratelimit-input-tokens-remaining', '399000'],
  ['anthropic-ratelimit-input-tokens-reset', RESET],
  ['anthropic-ratelimit-output-tokens-limit', '80000'],
  ['anthropic-ratelimit-output-tokens-remaining', '80000'],
  ['anthropic-ratelimit-output-tokens-reset', RESET],
  ['anthropic-organization-id', ANTHROPIC_ORGANIZATION],
  ['anthropic-workspace-id', ANTHROPIC_WORKSPACE],
  ['strict-transport-security', 'max-age=31536000; includeSubDomains; preload'],
  ['via', '1.1 google'],
  ['x-robots-tag', 'none'],
  ['Server', 'cloudflare'],
  ['CF-RAY', '9a0b1c2d3e4f5a6c-FRA'],
  ['cf-cache-status', 'DYNAMIC'],
  ['set-cookie', '__cf_bm=simulated-bot-management; path=/; domain=.anthropic.com; HttpOnly; Secure'],
].flat();

/** What the real API adds to each answer. */
export function anthropicHeaders(requestId: string): string[] {
  return [...CONSTANT, 'request-id', requestId];
}
