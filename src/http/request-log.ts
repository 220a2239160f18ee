import type { RequestHandler } from 'express';
import { errorTable, statusOf, type ErrorCode } from './errors.ts';
import { beginRequest, type RequestState } from './request-state.ts';
import type { EndedRequest } from '../observe/metrics.ts';
import type { Logger } from '../observe/log.ts';

export interface RequestObserver {
  log: Logger;
  ended(request: EndedRequest): void;
  /** Goes up and down with the requests under way. */
  open: Set<RequestState>;
}

/** Gives each request its id, and when it ends writes its one log line and counts it. */
export function observeRequests(observer: RequestObserver): RequestHandler {
  return (req, res, next) => {
    const state = beginRequest(res);
    res.setHeader('X-Licensify-Request-Id', state.id);
    observer.open.add(state);
    res.once('close', () => {
      observer.open.delete(state);
      const finished = res.writableFinished;
      const outcome = state.outcome ?? (finished ? 'ok' : 'client_gone');
      const durationMs = performance.now() - state.startedAt;
      writeLine(observer.log, state, {
        method: req.method,
        // Not the query, and no path of a proxied request but one that the policy knows: a client may put a key there.
        path: state.path ?? knownPath(req.originalUrl),
        status: res.headersSent ? res.statusCode : undefined,
        outcome,
        durationMs,
      });
      if (state.provider === undefined) return;
      observer.ended({
        provider: state.provider,
        tier: state.tier ?? 'none',
        outcome,
        status: res.headersSent ? res.statusCode : 0,
        durationSeconds: durationMs / 1_000,
      });
    });
    next();
  };
}

interface Line {
  method: string;
  path: string;
  status: number | undefined;
  outcome: string;
  durationMs: number;
}

function writeLine(log: Logger, state: RequestState, line: Line): void {
  const fields = {
    requestId: state.id,
    method: line.method,
    path: line.path,
    provider: state.provider,
    model: state.model === '' ? undefined : state.model,
    license: state.license,
    device: state.device,
    actor: state.actor,
    tier: state.tier,
    status: line.status,
    outcome: line.outcome,
    used: state.used,
    limit: state.limit,
    durationMs: round(line.durationMs),
    overheadMs: state.upstreamStart === undefined ? undefined : round(state.upstreamStart - state.startedAt),
    err: state.error ?? state.settleError,
  };
  const isOurFault = line.outcome in errorTable && statusOf(line.outcome as ErrorCode) >= 500;
  if (isOurFault || fields.err !== undefined) log.error(fields, 'request failed');
  else log.info(fields, 'request ended');
}

/** The first segments of a path that has no ids and no client's text in it. */
function knownPath(target: string): string {
  const [path = ''] = target.split('?');
  const known =
    /^\/(?:activate|deactivate|check|tiers|health|version|admin\/v1\/licenses|proxy\/(?:openai|anthropic))/;
  return known.exec(path)?.[0] ?? '(unknown)';
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
