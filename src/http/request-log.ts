import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { EndedCall, EndedRequest } from '../observe/metrics.ts';
import type { Logger } from '../observe/log.ts';
import type { EndedTrace, Tracing } from '../observe/tracing.ts';
import { traceIdIn } from '../observe/trace-ids.ts';
import { levelOf, writeLine, type Ending } from './request-line.ts';
import { beginRequest, type RequestState } from './request-state.ts';

export interface RequestObserver {
  log: Logger;
  metrics: {
    /** Told of each request under /proxy. */
    ended(request: EndedRequest): void;
    /** Told of each other one. */
    endpointEnded(call: EndedCall): void;
  };
  /** Undefined where spans go nowhere. */
  tracing: Tracing | undefined;
  /** Goes up and down with the requests under way. */
  open: Set<RequestState>;
}

/** Gives each request its id (REQUEST_ID tells the client), and when it ends writes its one log line and counts it. */
export function observeRequests(
  observer: RequestObserver,
): (req: IncomingMessage, res: ServerResponse) => RequestState {
  return (req, res) => {
    const state = beginRequest(res);
    observer.open.add(state);
    state.trace = observer.tracing?.begin(req.headers.traceparent, state.startedAt);
    res.on('close', () => {
      observer.open.delete(state);
      const ending = endingOf(req, res, state);
      writeLine(observer.log, state, ending);
      count(observer.metrics, state, ending);
      state.trace?.end(tracedEnd(state, ending), state.answerStatus);
    });
    return state;
  };
}

function endingOf(
  req: IncomingMessage & { originalUrl?: string },
  res: ServerResponse,
  state: RequestState,
): Ending {
  const { received, sent } = bytesSinceBefore(req.socket);
  const { startedAt, upstreamStart, firstByteAt, headAt } = state;
  const beforeUpstream = upstreamStart === undefined ? undefined : upstreamStart - startedAt - state.waited;
  const afterFirstByte = firstByteAt === undefined || headAt === undefined ? 0 : headAt - firstByteAt;
  return {
    method: req.method ?? '',
    // Not the query, and no path of a proxied request but one that the policy knows: a client may put a key there.
    path: state.path ?? knownPath(req.originalUrl ?? req.url ?? ''),
    status: res.headersSent ? res.statusCode : undefined,
    outcome: state.outcome ?? (res.writableFinished ? 'ok' : 'client_gone'),
    durationMs: performance.now() - startedAt,
    overheadMs: beforeUpstream === undefined ? undefined : beforeUpstream + afterFirstByte,
    firstByteMs:
      firstByteAt === undefined || upstreamStart === undefined ? undefined : firstByteAt - upstreamStart,
    received,
    sent,
    traceId: state.trace?.traceId ?? traceIdIn(req.headers.traceparent),
  };
}

function tracedEnd(state: RequestState, ending: Ending): EndedTrace {
  const { method, path, status, outcome } = ending;
  const { id: requestId, license, tier, provider } = state;
  const failed = levelOf(state, ending) !== 'info' || (status !== undefined && status >= 500);
  return { method, path, status, outcome, requestId, license, tier, provider, failed };
}

function count(metrics: RequestObserver['metrics'], state: RequestState, ending: Ending): void {
  const { status = 0, overheadMs, firstByteMs } = ending;
  const duration = ending.durationMs / 1_000;
  if (state.provider === undefined) {
    metrics.endpointEnded({ endpoint: ending.path, status, duration });
    return;
  }
  metrics.ended({
    id: state.id,
    provider: state.provider,
    tier: state.tier ?? 'none',
    outcome: ending.outcome,
    status,
    stream: state.stream,
    duration,
    overhead: overheadMs === undefined ? undefined : overheadMs / 1_000,
    firstByte: firstByteMs === undefined ? undefined : firstByteMs / 1_000,
    received: ending.received,
    sent: ending.sent,
  });
}

const countedKey = Symbol('bytes counted');

interface Carrier extends Socket {
  [countedKey]?: { received: number; sent: number };
}

/** What went over a connection since the request before on it; nothing need be counted piece by piece. */
function bytesSinceBefore(socket: Carrier): { received: number; sent: number } {
  const { bytesRead, bytesWritten } = socket;
  const before = socket[countedKey];
  if (before === undefined) {
    socket[countedKey] = { received: bytesRead, sent: bytesWritten };
    return { received: bytesRead, sent: bytesWritten };
  }
  const bytes = { received: bytesRead - before.received, sent: bytesWritten - before.sent };
  before.received = bytesRead;
  before.sent = bytesWritten;
  return bytes;
}

const known = new RegExp(
  [
    '^/(?:activate|deactivate|check|init|verify|usage|tiers|health|version|proxy/(?:openai|anthropic)',
    '|admin/(?:openapi\\.json|v1/(?:licenses|usage|audit|tiers|tokens|webhooks|provider-keys)))(?=$|[/?])',
  ].join(''),
);

/** The first segments of a path that has no ids and no client's text in it. */
function knownPath(target: string): string {
  return known.exec(target)?.[0] ?? '(unknown)';
}
