import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadRequest } from './load.ts';

/** What a client does with its stream, or the provider with it. */
export type Manner = 'reads' | 'reads slowly' | 'leaves' | 'provider dies';

/** What became of a stream. */
export interface StreamResult {
  readonly manner: Manner;
  readonly status: number;
  readonly events: number;
  readonly bytes: number;
  /** It came to its regular end; false: it broke off. */
  readonly ended: boolean;
  /** It fell silent, and the client gave it up. */
  readonly hung: boolean;
}

/** Between two pieces that a slow reader takes. Milliseconds. */
const SLOW_PAUSE = 100;
const PATIENCE = 60_000;

/** Asks for a stream on a connection of its own (or of `agent`; `patienceMs`: how long it may be silent) and resolves when it is over. Never rejects. */
export function readStream(
  { url, headers, body }: LoadRequest,
  manner: Manner,
  options: { agent?: http.Agent; patienceMs?: number } = {},
): Promise<StreamResult> {
  const { promise, resolve } = Promise.withResolvers<StreamResult>();
  const eventsIn = eventCounter();
  let [status, events, bytes] = [0, 0, 0];
  const request = http.request(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': body.length },
    agent: options.agent ?? false,
    timeout: options.patienceMs ?? PATIENCE,
  });
  let hung = false;
  const end = (ended: boolean): void => resolve({ manner, status, events, bytes, ended, hung });
  request.once('timeout', () => {
    hung = true;
    request.destroy(new Error('no answer'));
  });
  request.on('error', () => end(false));
  request.once('response', (response) => {
    status = response.statusCode ?? 0;
    response.on('data', (piece: Buffer) => {
      bytes += piece.length;
      events += eventsIn(piece);
      if (manner === 'leaves') request.destroy();
      if (manner !== 'reads slowly') return;
      response.pause();
      void sleep(SLOW_PAUSE).then(() => response.resume());
    });
    response.once('end', () => end(true));
    response.once('error', () => end(false));
    response.once('close', () => end(false));
  });
  request.end(body);
  return promise;
}

/** Counts events: each is a line that begins like this, and JSON holds no line ends. */
function eventCounter(): (piece: Buffer) => number {
  const mark = 'data: {';
  let rest = '';
  return (piece) => {
    const text = rest + piece.toString('latin1');
    rest = text.slice(1 - mark.length); // a mark may lie in two pieces
    return text.split(mark).length - 1;
  };
}
