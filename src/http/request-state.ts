import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { RequestTrace } from '../observe/tracing.ts';
import type { PassageTimes } from '../upstream/relay.ts';
import type { ErrorShape } from './errors.ts';

/** What is known of a request so far; its log line and its metrics are made of it when it ends. */
export interface RequestState extends PassageTimes {
  readonly id: string;
  readonly startedAt: number;
  provider: string | undefined;
  path: string | undefined;
  model: string;
  license: string | undefined;
  device: number | undefined;
  /** Who administers: a token's id, or ADMIN_TOKEN. */
  actor: string | undefined;
  tier: string | undefined;
  used: number | undefined;
  limit: number | undefined;
  /** Of `performance.now()`: when the provider was first spoken to. */
  upstreamStart: number | undefined;
  /** How long we waited for the client's body before that. Milliseconds. */
  waited: number;
  shape: ErrorShape;
  /** Its spans, where spans are sent. */
  trace: RequestTrace | undefined;
  /** An error code of the table, or how else it ended. */
  outcome: string | undefined;
  /** The cause, for the log alone. */
  error: unknown;
  settleError: unknown;
  /** Says how the request ended; the first word counts. */
  end(outcome: string): void;
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
  const state: RequestState = {
    id: `req_${randomUUID()}`,
    startedAt: performance.now(),
    provider: undefined,
    path: undefined,
    model: '',
    license: undefined,
    device: undefined,
    actor: undefined,
    tier: undefined,
    used: undefined,
    limit: undefined,
    upstreamStart: undefined,
    waited: 0,
    firstByteAt: undefined,
    headAt: undefined,
    stream: false,
    answerStatus: undefined,
    trace: undefined,
    shape: 'licensify',
    outcome: undefined,
    error: undefined,
    settleError: undefined,
    end(outcome) {
      state.outcome ??= outcome;
    },
  };
  res[stateKey] = state;
  return state;
}

export function requestState(res: Carrier): RequestState {
  return res[stateKey] ?? beginRequest(res);
}
