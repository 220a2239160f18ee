import { bearerOf, maskKey } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { json } from '../reply.ts';
import type { Call, Reply } from '../reply.ts';
import { OPENAI_ORGANIZATION } from './openai-headers.ts';

interface OpenaiError {
  readonly type?: string;
  readonly param?: string;
  readonly code?: string;
}

/** An error in OpenAI's format. */
export function openaiError(status: number, message: string, details: OpenaiError = {}): Reply {
  const { type = 'invalid_request_error', param = null, code = null } = details;
  const headers = status === 401 ? ['WWW-Authenticate', 'Bearer realm="OpenAI API"'] : [];
  return json({ error: { message, type, param, code } }, status, headers);
}

/** The 401 for a request without a key or with an unknown one; undefined if the key is good. */
export function refuseOpenai(call: Call, keys: KeyRing): Reply | undefined {
  const key = bearerOf(call.headers);
  if (key === undefined) {
    return openaiError(
      401,
      "You didn't provide an API key. You need to provide your API key in an Authorization header using " +
        'Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if ' +
        "you're accessing the API from your browser and are prompted for a username and password. You can " +
        'obtain an API key from https://platform.openai.com/account/api-keys.',
    );
  }
  return keys.has('openai', key) ? undefined : incorrectKey(key);
}

function incorrectKey(key: string): Reply {
  return openaiError(
    401,
    `Incorrect API key provided: ${maskKey(key)}. ` +
      'You can find your API key at https://platform.openai.com/account/api-keys.',
    { code: 'invalid_api_key' },
  );
}

/** The error that OpenAI gives with this status. */
export function openaiStatus(call: Call, status: number): Reply {
  switch (status) {
    case 401:
      return incorrectKey(bearerOf(call.headers) ?? '');
    case 403:
      return openaiError(403, 'Country, region, or territory not supported', {
        type: 'request_forbidden',
        code: 'unsupported_country_region_territory',
      });
    case 404:
      return unknownUrl(call);
    case 429:
      return rateLimited(call);
    case 503:
      return openaiError(503, 'The engine is currently overloaded, please try again later.', {
        type: 'server_error',
        code: 'engine_overloaded',
      });
    default:
      return status < 500
        ? openaiError(status, `Simulated error ${status}.`)
        : openaiError(status, 'The server had an error while processing your request. Sorry about that!', {
            type: 'server_error',
          });
  }
}

function rateLimited(call: Call): Reply {
  const reply = openaiError(
    429,
    `Rate limit reached for gpt-4o-mini in organization ${OPENAI_ORGANIZATION} on requests per min (RPM): ` +
      'Limit 3, Used 3, Requested 1. Please try again in 20s. ' +
      'Visit https://platform.openai.com/account/rate-limits to learn more.',
    { type: 'requests', code: 'rate_limit_exceeded' },
  );
  if (call.behaviour.retryAfter !== undefined) return reply;
  return { ...reply, headers: [...reply.headers, 'Retry-After', '1'] };
}

/** The 404 of a path that OpenAI does not have. */
export function unknownUrl(call: Call): Reply {
  return openaiError(404, `Invalid URL (${call.method} ${call.path})`);
}

/** The 404 of a model that OpenAI does not have. */
export function unknownModel(model: string): Reply {
  return openaiError(404, `The model \`${model}\` does not exist or you do not have access to it.`, {
    code: 'model_not_found',
  });
}
