import { bearerOf } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { json } from '../reply.ts';
import type { Call, Reply } from '../reply.ts';

const VERSIONS = ['2023-01-01', '2023-06-01', '2026-10-21'];

const TYPES: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ['invalid_request_error', 'Simulated invalid request.'],
  401: ['authentication_error', 'invalid x-api-key'],
  402: ['billing_error', 'Your credit balance is too low to access the Anthropic API.'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.'],
  404: ['not_found_error', 'Not Found'],
  405: ['invalid_request_error', 'Method Not Allowed'],
  409: ['conflict_error', 'The request conflicts with another one.'],
  413: ['request_too_large', 'Request exceeds the maximum size'],
  429: [
    'rate_limit_error',
    "This request would exceed your organization's rate limit of 4,000 requests per minute.",
  ],
  500: ['api_error', 'Internal server error'],
  504: ['timeout_error', 'Request timed out'],
  529: ['overloaded_error', 'Overloaded'],
};

/** An error in Anthropic's format, with the type that goes with its status. */
export function anthropicError(call: Call, status: number, message?: string): Reply {
  const [type, usual] = TYPES[status] ?? TYPES[status < 500 ? 400 : 500] ?? ['api_error', ''];
  const retry = [408, 409, 429].includes(status) || status >= 500;
  const headers = ['x-should-retry', String(retry)];
  if (status === 429 && call.behaviour.retryAfter === undefined) headers.push('Retry-After', '1');
  return json(
    { type: 'error', error: { type, message: message ?? usual }, request_id: call.requestId },
    status,
    headers,
  );
}

/** The refusal of a bad credential or version; undefined if both are good. */
export function refuseAnthropic(call: Call, keys: KeyRing): Reply | undefined {
  const key = call.headers['x-api-key'];
  const bearer = bearerOf(call.headers);
  if (key !== undefined) {
    if (!keys.has('anthropic', String(key))) return anthropicError(call, 401);
  } else if (bearer !== undefined) {
    // SDKs send the key this way since API version 2026-10-21.
    if (!keys.has('anthropic', bearer)) return anthropicError(call, 401, 'Invalid bearer token');
  } else {
    return anthropicError(call, 401, 'x-api-key header is required');
  }
  const version = call.headers['anthropic-version'];
  if (version === undefined) return anthropicError(call, 400, 'anthropic-version: header is required');
  if (VERSIONS.includes(String(version))) return undefined;
  return anthropicError(call, 400, `anthropic-version: "${String(version)}" is not a valid version.`);
}

/** The error that Anthropic gives with this status. */
export function anthropicStatus(call: Call, status: number): Reply {
  return anthropicError(call, status);
}
