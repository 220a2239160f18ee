import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pieces } from '../pieces.ts';
import { takeFrom, type HeaderList } from '../header-list.ts';
import { isEventStream, keepHeadersForClient } from './header-policy.ts';

/** Decides what of a piped body passes. */
export interface BodyGuard {
  /** What passes now that this piece came; or why the body must not pass, which ends the passage. */
  take(piece: Buffer): { passes: Buffer } | { objection: string };
  /** What was held back until the body's end. */
  rest(): Buffer;
}

/** What is noted of a passage while it is under way. Times are of `performance.now()`. */
export interface PassageTimes {
  /** When the provider's head came. */
  firstByteAt: number | undefined;
  /** When it went on to the client. */
  headAt: number | undefined;
  /** Whether the answer is a stream of events. */
  stream: boolean;
  /** The provider's own status. */
  answerStatus: number | undefined;
}

/** One request to pass on. */
export interface Passage {
  req: IncomingMessage;
  res: ServerResponse;
  /** The provider's base URL, from the settings alone. */
  base: URL;
  /** Path and query behind the base. */
  path: string;
  /** For the provider, with the body's framing, but for `host`. */
  headers: HeaderList;
  /** The whole body, where it has been read; else the client's own, if there is one, is piped. */
  body?: Pieces | undefined;
  /** Sees each piece of a piped body before it passes. */
  guard?: BodyGuard | undefined;
  /** Adds headers of ours to the answer's. */
  addOwnHeaders: (headers: HeaderList) => void;
  times: PassageTimes;
  /** Called before the head of an answer that will not be charged is sent: the client may try again at once. */
  giveBack: () => Promise<void>;
}

/**
 * What became of a passage. Where nothing was `answered`, the client still waits for an answer, unless it has gone.
 * `refund`: the provider did no work that the customer should be charged for (contract §4.4).
 */
export type Outcome =
  | { kind: 'answered'; status: number; complete: boolean; refund: boolean }
  | { kind: 'provider-auth-failed'; refund: true; error?: undefined }
  | { kind: 'unreachable'; refund: true; error: Error }
  | { kind: 'timeout'; refund: false; error?: undefined }
  | { kind: 'body-refused'; refund: true; objection: string; error?: undefined }
  /** Gone before anything was answered; `refund` if before anything was sent, too. */
  | { kind: 'client-gone'; refund: boolean; error?: undefined };

/** Passes requests on over kept-alive connections. Its promises never reject; nothing is under way any more then. */
export interface Engine {
  pass(passage: Passage): Promise<Outcome>;
  close(): void;
}

/** A provider that takes longer to accept a connection is away. Milliseconds. */
export const CONNECT_TIMEOUT = 10_000;
/** How long a connection to a provider is kept for the next request. Milliseconds; less than what providers keep theirs. */
export const KEEP_IDLE = 30_000;
/** Connections kept for the next request. */
export const MOST_IDLE = 256;

/** Whether an answer of this status is not charged. */
export function isRefunded(status: number): boolean {
  return status === 429 || status >= 500;
}

/**
 * Breaks an answer off so that it cannot be taken for a whole one. To an HTTP/1.0 client, such as nginx in its default
 * configuration, a body without a length ends where its connection does: only a reset tells the difference.
 */
export function cutOff(res: ServerResponse): void {
  if (res.req.httpVersion === '1.0') res.req.socket.resetAndDestroy();
  else res.destroy();
}

/**
 * Writes the head of a provider's answer, without its reason phrase: HTTP/2 has none, and it need not be valid.
 * @param headers the provider's own; the list becomes what the client gets
 */
export function writeHead(
  { res, req, times, addOwnHeaders }: Passage,
  status: number,
  headers: HeaderList,
): void {
  times.stream = isEventStream(headers);
  keepHeadersForClient(headers, times.stream);
  const ownVary = res.getHeader('vary');
  // Both say what a cache has to tell answers apart by: the provider's must not replace the origin's.
  if (ownVary !== undefined) {
    const theirs = takeFrom(headers, 'vary');
    headers.push('vary', [ownVary, theirs ?? []].flat().join(', '));
  }
  addOwnHeaders(headers);
  // A request body that nobody will read any more would be taken for the next request.
  if (!req.complete) headers.push('connection', 'close');
  res.writeHead(status, headers);
  times.headAt = performance.now();
  // The head waits for the first chunk otherwise, and a stream's first event may be long in coming.
  if (times.stream) res.flushHeaders();
}
