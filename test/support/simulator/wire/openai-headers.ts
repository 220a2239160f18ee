/** The organization that every simulated OpenAI answer names; no client of a gateway may learn it. */
export const OPENAI_ORGANIZATION = 'org-simulatedoperator';
/** The project that every simulated OpenAI answer names. */
export const OPENAI_PROJECT = 'proj_simulatedOperatorProject';

const CONSTANT = [
  ['openai-organization', OPENAI_ORGANIZATION],
  ['openai-processing-ms', '12'],
  ['openai-project', OPENAI_PROJECT],
  ['openai-version', '2020-10-01'],
  ['x-envoy-upstream-service-time', '14'],
  ['x-ratelimit-limit-requests', '10000'],
  ['x-ratelimit-limit-tokens', '2000000'],
  ['x-ratelimit-remaining-requests', '9999'],
  ['x-ratelimit-remaining-tokens', '1999985'],
  ['x-ratelimit-reset-requests', '6ms'],
  ['x-ratelimit-reset-tokens', '0s'],
  ['strict-transport-security', 'max-age=31536000; includeSubDomains; preload'],
  ['x-content-type-options', 'nosniff'],
  ['Server', 'cloudflare'],
  ['CF-RAY', '9a0b1c2d3e4f5a6b-FRA'],
  ['cf-cache-status', 'DYNAMIC'],
  ['alt-svc', 'h3=":443"; ma=86400'],
  ['set-cookie', '__cf_bm=simulated-bot-management; path=/; HttpOnly; Secure; SameSite=None'],
  ['set-cookie', '_cfuvid=simulated-visitor; path=/; domain=.api.openai.com; HttpOnly; Secure'],
].flat();

/** What the real API adds to each answer. */
export function openaiHeaders(requestId: string): string[] {
  return [...CONSTANT, 'x-request-id', requestId];
}
