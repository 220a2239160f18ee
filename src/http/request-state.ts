import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { RequestTrace } from '../observe/tracing.ts';
import type { PassageTimes } from '../upstream/relay.ts';
import type { ErrorShape } from './errors.ts';

/** What is known of a request so far; its log line and its metrics are made of it when it ends. */
export class RequestState implements PassageTimes {
  readonly id = `req_${randomUUID()}`;
  readonly startedAt = performance.now();
  provider: string | undefined = undefined;
  path: string | undefined = undefined;
  model = '';
  license: string | undefined = undefined;
  device: number | undefined = undefined;
  /** Who administers: a token's id, or ADMIN_TOKEN. */
  actor: string | undefined = undefined;
  tier: string | undefined = undefined;
  used: number | undefined = undefined;
  limit: number | undefined = undefined;
  /** Of `performance.now()`: when the provider was first spoken to. */
  upstreamStart: number | undefined = undefined;
  /** How long we waited for the client's body before that. Milliseconds. */
  waited = 0;
  firstByteAt: number | undefined = undefined;
  headAt: number | undefined = undefined;
  stream = false;
  answerStatus: number | undefined = undefined;
  /** Its spans, where spans are sent. */
  trace: RequestTrace | undefined = undefined;
  shape: ErrorShape = 'licensify';
  /** An error code of the table, or how else it ended. */
  outcome: string | undefined = undefined;
  /** The cause, for the log alone. */
  error: unknown = undefined;
  settleError: unknown = undefined;

  /** Says how the request ended; the first word counts. */
  end(outcome: string): void {
    this.outcome ??= outcome;
  }
}

/** Every answer says its request's id. */
export const REQUEST_ID = 'X-Licensify-Request-Id';

const stateKey = Symbol('request state');

/** The answer carries its request's state: entries of a WeakMap would cost the garbage collector far more. */
interface Carrier extends ServerResponse {
  [stateKey]?: RequestState;
}

/** Begins the state of a request; called once, before anything else sees it. */
export function beginRequest(res: Carrier): RequestState {
  const state = new RequestState();
  res[stateKey] = state;
  return state;
}

export function requestState(res: Carrier): RequestState {
  return res[stateKey] ?? beginRequest(res);
}
