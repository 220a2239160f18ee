import type { Logger } from '../observe/log.ts';
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
}

/** The one line of a request. */
export function writeLine(log: Logger, state: RequestState, ending: Ending): void {
  const fields = {
    requestId: state.id,
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
  const isOurFault = ending.outcome in errorTable && statusOf(ending.outcome as ErrorCode) >= 500;
  if (isOurFault || fields.err !== undefined) log.error(fields, 'request failed');
  else log.info(fields, 'request ended');
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100;
}
