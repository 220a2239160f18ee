import type { IncomingMessage, ServerResponse } from 'node:http';

interface ErrorKind {
  status: number;
  /** The public sentence; `{name}` stands for a detail. */
  message: string;
  /** Seconds; where set, and unless the refusal says otherwise, the answer has `Retry-After`. */
  retryAfter?: number;
}

/** Every error that a client can see (contract §5). What is for the log stays in the log. */
export const errorTable = {
  invalid_request: { status: 400, message: '{problem}' },
  provider_mismatch: {
    status: 400,
    message: 'The envelope says provider "{envelope}" but the URL says "{url}": they must be the same',
  },
  invalid_license_key: { status: 401, message: 'Invalid license key' },
  invalid_code: {
    status: 401,
    message: 'The code is wrong or no longer good: ask for a new one with POST /init',
  },
  invalid_proxy_key: {
    status: 401,
    message: 'Invalid proxy key: activate the license on this device to get a new one',
  },
  invalid_signature: { status: 401, message: 'Invalid signature. {problem}' },
  invalid_admin_token: {
    status: 401,
    message: 'Invalid admin token: send it as "Authorization: Bearer <token>"',
  },
  hardware_not_activated: { status: 403, message: 'Hardware ID not activated for this license' },
  license_expired: { status: 403, message: 'The license has expired' },
  license_suspended: { status: 403, message: 'The license is suspended' },
  device_limit_reached: { status: 403, message: 'Maximum activations ({max}) reached' },
  forbidden: {
    status: 403,
    message: 'This takes the role "{needed}"; the token "{name}" has the role "{role}"',
  },
  public_key_required: {
    status: 403,
    message: 'This license asks for proof of possession: activate with a "public_key" of the device',
  },
  device_already_licensed: {
    status: 403,
    message: 'This device already uses another license of the tier "{tier}": deactivate that one first',
  },
  sign_up_not_offered: { status: 403, message: 'There is no sign-up for {tier}' },
  path_not_allowed: { status: 403, message: '{method} {path} is not open to proxy keys' },
  unknown_provider: { status: 404, message: 'Unsupported provider. Supported: openai, anthropic' },
  not_found: { status: 404, message: '{what} not found' },
  method_not_allowed: { status: 405, message: '{method} is not supported here; use {allow}' },
  license_exists: {
    status: 409,
    message: 'This address has a license of this tier already: its key was mailed when it was made',
  },
  license_revoked: { status: 409, message: 'The license is revoked, which is for good: create a new one' },
  webhook_disabled: { status: 409, message: 'The webhook is disabled: enable it first' },
  webhook_limit_reached: { status: 409, message: 'There are {max} webhooks already, which is the most' },
  secret_unreadable: { status: 409, message: 'Nothing was changed: {problem}' },
  precondition_failed: {
    status: 412,
    message: '{what} has changed since you read it (its ETag is {etag} now): read it again, then repeat',
  },
  length_required: { status: 411, message: 'A {method} request with a body needs a Content-Length' },
  body_too_large: { status: 413, message: 'The request body is larger than {max} bytes' },
  unsupported_media_type: {
    status: 415,
    message: 'The request body must be JSON, with "Content-Type: application/json"',
  },
  rate_limit_exceeded: {
    status: 429,
    message: 'Daily limit of {limit} requests exceeded. Current usage: {used}',
  },
  monthly_limit_exceeded: {
    status: 429,
    message: 'Monthly limit of {limit} requests exceeded. Current usage: {used}',
  },
  too_many_attempts: {
    status: 429,
    message: 'Too many attempts from this address. Try again later',
  },
  internal_error: { status: 500, message: 'Something went wrong on our side. Request id: {requestId}' },
  upstream_unreachable: { status: 502, message: '{provider} cannot be reached at the moment' },
  provider_auth_failed: {
    status: 502,
    message: '{provider} refused the API key of this service. Its operator has to correct it',
  },
  upstream_timeout: { status: 504, message: '{provider} did not answer in time' },
  provider_not_configured: { status: 503, message: '{provider} API key not configured' },
  tier_not_configured: {
    status: 503,
    message: 'The tier of this license is not configured on the server. Its operator has to correct it',
    retryAfter: 60,
  },
  counters_unavailable: {
    status: 503,
    message: 'Usage cannot be counted at the moment. Try again shortly',
    retryAfter: 1,
  },
  database_unavailable: {
    status: 503,
    message: 'The database cannot be reached. Try again shortly',
    retryAfter: 1,
  },
  master_key_not_configured: {
    status: 503,
    message:
      'Nothing can be stored: set MASTER_KEY on every instance (openssl rand -base64 32 makes one) and restart them',
  },
  mail_not_configured: {
    status: 503,
    message: 'Sign-up by mail is off: set SMTP_URL and MAIL_FROM on the server',
    retryAfter: 3600,
  },
  admin_not_configured: { status: 503, message: 'The admin API is off: set ADMIN_TOKEN on the server' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorTable;

/** An answer that is an error, as a value: which one, and the details that its sentence names. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string | number>>;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
}

/** Who reads the error: our own clients, or a provider's SDK, which raises its typed exceptions by it. */
export type ErrorShape = 'licensify' | 'openai' | 'anthropic';

export function refuse(code: ErrorCode, details: Refusal['details'] = {}, retryAfter?: number): Refusal {
  return { code, details, retryAfter };
}

/** Carries a refusal out of a depth where returning it would blur the code. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  readonly refusal: Refusal;

  constructor(code: ErrorCode, details: Refusal['details'] = {}, retryAfter?: number) {
    super(code);
    this.refusal = refuse(code, details, retryAfter);
  }
}

/** Answers with an error; headers set on the response before stay. Nothing happens where an answer has begun. */
export function sendRefusal(res: ServerResponse, refusal: Refusal, shape: ErrorShape = 'licensify'): void {
  if (res.headersSent || res.destroyed) return;
  const kind: ErrorKind = errorTable[refusal.code];
  const body = Buffer.from(JSON.stringify(bodyOf(refusal, shape)));
  const retryAfter = refusal.retryAfter ?? kind.retryAfter;
  if (retryAfter !== undefined) res.setHeader('Retry-After', String(retryAfter));
  // Both SDKs obey this, and so do not retry what cannot succeed today.
  if (isQuota(refusal.code)) res.setHeader('X-Should-Retry', 'false');
  if (refusal.code === 'method_not_allowed') res.setHeader('Allow', String(refusal.details.allow));
  res.writeHead(kind.status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
  });
  res.end(body);
  discardRest(res.req);
}

/**
 * What a refused request still sends is read and thrown away. A body that was begun and not read to its end stops the
 * connection: node dumps only those that nobody touched, and the next request on it would wait for ever.
 */
function discardRest(req: IncomingMessage): void {
  req.unpipe();
  req.resume();
}

/** The error's sentence with its details. */
export function messageOf({ code, details }: Refusal): string {
  return errorTable[code].message.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? ''));
}

/** The status that an error is answered with. */
export function statusOf(code: ErrorCode): number {
  return errorTable[code].status;
}

function bodyOf(refusal: Refusal, shape: ErrorShape): object {
  const { code } = refusal;
  const message = messageOf(refusal);
  const { status } = errorTable[code];
  switch (shape) {
    case 'openai':
      return {
        error: {
          message,
          type: isQuota(code) ? 'rate_limit_exceeded' : openaiType(status),
          param: null,
          code,
        },
      };
    case 'anthropic':
      return { type: 'error', error: { type: anthropicType(status), message } };
    case 'licensify':
      return isQuota(code)
        ? { error: { message, type: 'rate_limit_exceeded', code } }
        : { error: message, code };
  }
}

function isQuota(code: ErrorCode): boolean {
  return code === 'rate_limit_exceeded' || code === 'monthly_limit_exceeded';
}

function openaiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** Anthropic's error types by status: https://docs.anthropic.com/en/api/errors */
function anthropicType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}
