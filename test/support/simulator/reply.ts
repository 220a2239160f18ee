import type { IncomingHttpHeaders } from 'node:http';
import type { Behaviour } from './behaviour.ts';
import type { Deltas } from './deltas.ts';

export type Provider = 'openai' | 'anthropic';
export type Json = Record<string, unknown>;

/** A request that passed authentication, as an endpoint sees it. */
export interface Call {
  readonly provider: Provider;
  readonly method: string;
  /** The decoded, normalised path. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly behaviour: Behaviour;
  readonly requestId: string;
}

/** A body that is sent piece by piece; `deltas` are made as they are sent, so there may be any number. */
export interface StreamedBody {
  readonly head: readonly string[];
  readonly deltas: Deltas<string | Buffer>;
  readonly tail: () => readonly string[];
}

/** What an endpoint answers; the provider's usual headers come on top. Headers are a flat name, value list. */
export interface Reply {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer | StreamedBody;
}

export type Endpoint = (call: Call) => Reply | Promise<Reply>;

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON answer. */
export function json(value: unknown, status = 200, headers: readonly string[] = []): Reply {
  return {
    status,
    headers: ['Content-Type', 'application/json', ...headers],
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** A server-sent event stream. */
export function eventStream(body: StreamedBody): Reply {
  return {
    status: 200,
    headers: ['Content-Type', 'text/event-stream; charset=utf-8', 'Cache-Control', 'no-cache'],
    body,
  };
}

/** One server-sent event; OpenAI's chat stream has no event names. */
export function sseEvent(data: unknown, event?: string): string {
  const line = `data: ${JSON.stringify(data)}\n\n`;
  return event === undefined ? line : `event: ${event}\n${line}`;
}
