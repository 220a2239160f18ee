import type { Quota } from './quota.ts';

/** What is known about a failure besides its sentence. */
export interface ErrorDetails {
  /** The HTTP status; 0 (the default) where there was no answer. */
  status?: number;
  code: string;
  /** The gateway's id of the request, for its operator. */
  requestId?: string | undefined;
  /** Seconds to wait before another attempt. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** Every failure that this client reports, except an abort: that is the signal's own reason. */
export class LicensifyError extends Error {
  override readonly name: string = 'LicensifyError';
  /** 0 where there was no answer. */
  readonly status: number;
  /** The gateway's error codes, a provider's own, or one of this client's: `not_activated`, `unreachable` … */
  readonly code: string;
  readonly requestId: string | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(message: string, { status = 0, code, requestId, retryAfter, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

/** The license itself does not allow it: unknown, revoked, expired or suspended. */
export class LicenseError extends LicensifyError {
  override readonly name = 'LicenseError';
}

/** This device is not, or no longer, or cannot be activated. */
export class DeviceError extends LicensifyError {
  override readonly name = 'DeviceError';
}

/** The signature of a request was refused, for the reason that the message says. */
export class SignatureError extends LicensifyError {
  override readonly name = 'SignatureError';
}

/** The daily or the monthly limit is used up; `retryAfter` says when it is not. */
export class QuotaError extends LicensifyError {
  override readonly name = 'QuotaError';
  readonly quota: Quota | undefined;

  constructor(message: string, details: ErrorDetails, quota: Quota | undefined) {
    super(message, details);
    this.quota = quota;
  }
}

/** Too many unknown license keys came from this address. */
export class TooManyAttemptsError extends LicensifyError {
  override readonly name = 'TooManyAttemptsError';
}

/** The gateway, or the provider behind it, cannot be reached or cannot serve at the moment. */
export class UnavailableError extends LicensifyError {
  override readonly name = 'UnavailableError';
}

/** An answer broke off before its end. What came of it is not the whole. */
export class IncompleteError extends LicensifyError {
  override readonly name = 'IncompleteError';
}

/** The provider's own refusal of a request, or its own error. */
export class ProviderError extends LicensifyError {
  override readonly name = 'ProviderError';
}

/** What is kept on this device cannot be used: damaged, unreadable, or readable by others. */
export class StoreError extends LicensifyError {
  override readonly name = 'StoreError';
}
