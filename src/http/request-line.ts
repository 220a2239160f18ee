import { writeRecord, type Logger } from '../observe/log.ts';
import { errorTable, statusOf, type ErrorCode } from './errors.ts';
import type { RequestState } from './request-state.ts';

/** How a request ended. Milliseconds and bytes. */
export interface Ending {
  method: string;
  path: string;
  status: number | undefined;
  outcome: string;
  durationMs: number;
  /** Undefined where it was not passed on. */
  overheadMs: number | undefined;
  /** Undefined where the provider did not answer. */
  firstByteMs: number | undefined;
  received: number;
  sent: number;
  /** Of the client's trace, or of ours. */
  traceId: string | undefined;
}

/** The one line of a request. */
export function writeLine(log: Logger, state: RequestState, ending: Ending): void {
  const fields = {
    requestId: state.id,
    trace_id: ending.traceId,
    method: ending.method,
    path: ending.path,
    provider: state.provider,
    model: state.model === '' ? undefined : state.model,
    license: state.license,
    device: state.device,
    actor: state.actor,
    tier: state.tier,
    status: ending.status,
    outcome: ending.outcome,
    used: state.used,
    limit: state.limit,
    durationMs: round(ending.durationMs),
    overheadMs: round(ending.overheadMs),
    firstByteMs: round(ending.firstByteMs),
    stream: state.stream || undefined,
    received: ending.received,
    sent: ending.sent,
    err: state.error ?? state.settleError,
  };
  const level = levelOf(state, ending);
  writeRecord(log, level, fields, level === 'info' ? 'request ended' : 'request failed');
}

/** A provider's troubles, which are neither ours nor the customer's. */
const ofProviders = new Set(['upstream_unreachable', 'upstream_timeout', 'cut_short']);

/**
 * `info`: it went as it should, be it that the customer was refused or the provider answered with an error of its own.
 * `warn`: the provider failed, or a request that was served could not be given back. `error`: it is for us to look at.
 */
export function levelOf(state: RequestState, { outcome }: Ending): 'info' | 'warn' | 'error' {
  if (ofProviders.has(outcome)) return 'warn';
  const isOurFault = outcome in errorTable && statusOf(outcome as ErrorCode) >= 500;
  if (isOurFault || state.error !== undefined) return 'error';
  return state.settleError === undefined ? 'info' : 'warn';
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100;
}
