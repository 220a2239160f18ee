import {
  DeviceError,
  LicenseError,
  LicensifyError,
  ProviderError,
  QuotaError,
  SignatureError,
  TooManyAttemptsError,
  UnavailableError,
  type ErrorDetails,
} from './errors.ts';
import { readQuota } from './quota.ts';

const ofLicense = new Set(['invalid_license_key', 'license_expired', 'license_suspended']);
const ofDevice = new Set([
  'device_limit_reached',
  'hardware_not_activated',
  'invalid_proxy_key',
  'public_key_required',
]);
const ofQuota = new Set(['rate_limit_exceeded', 'monthly_limit_exceeded']);

/** What an error's body says, and who said it. */
interface Said {
  by: 'gateway' | 'provider' | 'other';
  message: string;
  code: string;
}

/** The typed error for an answer that is none of what was asked for. */
export function errorOf({ status, headers }: Response, text: string): LicensifyError {
  const { by, message, code } = whatWasSaid(status, text);
  const details: ErrorDetails = {
    status,
    code,
    requestId: headers.get('x-licensify-request-id') ?? undefined,
    retryAfter: readRetryAfter(headers.get('retry-after')),
  };
  if (by === 'provider') return new ProviderError(message, details);
  if (by === 'gateway') {
    if (ofQuota.has(code)) return new QuotaError(message, details, readQuota(headers));
    if (ofLicense.has(code)) return new LicenseError(message, details);
    if (ofDevice.has(code)) return new DeviceError(message, details);
    if (code === 'invalid_signature') return new SignatureError(message, details);
    if (code === 'too_many_attempts') return new TooManyAttemptsError(message, details);
  }
  return [502, 503, 504].includes(status)
    ? new UnavailableError(message, details)
    : new LicensifyError(message, details);
}

/** The code of one of the gateway's refusals. Anthropic's form has no place for it: there its sentence tells. */
export function refusalOf(status: number, text: string): string {
  const { message, code } = whatWasSaid(status, text);
  if (message.startsWith('Invalid signature.')) return 'invalid_signature';
  if (message.startsWith('This license asks for proof of possession')) return 'public_key_required';
  return code;
}

function whatWasSaid(status: number, text: string): Said {
  const body = asObject(parse(text));
  const error = body?.error;
  if (typeof error === 'string' && typeof body?.code === 'string') {
    return { by: 'gateway', message: error, code: body.code };
  }
  const inner = asObject(error);
  if (inner !== undefined) {
    const code = firstText(inner.code, inner.type, `http_${status}`);
    // A provider's own rate limit can have the same code: its type is another one.
    const isQuota = inner.type === 'rate_limit_exceeded' && ofQuota.has(code);
    return { by: isQuota ? 'gateway' : 'provider', message: firstText(inner.message, text), code };
  }
  // A load balancer's page, or something that is no gateway at all.
  const message = [502, 503, 504].includes(status)
    ? `The gateway cannot be reached at the moment (status ${status})`
    : `What answered (with status ${status}) is no Licensify gateway: check the URL`;
  return { by: 'other', message, code: 'unexpected_answer' };
}

/** Seconds; the header holds these or a date (RFC 9110 §10.2.3). */
export function readRetryAfter(value: string | null): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1_000));
}

/** The first of what a body may hold that is a text or a number. */
export function firstText(...values: unknown[]): string {
  for (const value of values) {
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
  }
  return '';
}

/** JSON, or undefined. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A JSON object, or undefined. */
export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
