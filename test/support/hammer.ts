import { connect } from 'node:net';

export interface Hammered {
  /** How often each status was answered. */
  statuses: Record<number, number>;
  perSecond: number;
}

export interface HammerOptions {
  /** How many requests in all. */
  times: number;
  sockets?: number;
  /** How many requests a socket sends ahead of their answers. */
  ahead?: number;
}

/**
 * Sends requests as fast as they are answered: raw and pipelined, so that the client costs little of the machine that the
 * gateway runs on too.
 * @param request the bytes of the n-th request
 */
export async function hammer(
  url: string,
  request: (turn: number) => string,
  { times, sockets = 20, ahead = 10 }: HammerOptions,
): Promise<Hammered> {
  const statuses: Record<number, number> = {};
  let turn = 0;
  const next = (): string | undefined => (turn < times ? request(turn++) : undefined);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: sockets }, () =>
      keepAsking(url, ahead, next, (status) => (statuses[status] = (statuses[status] ?? 0) + 1)),
    ),
  );
  return { statuses, perSecond: Math.round((times / (performance.now() - began)) * 1_000) };
}

/** The bytes of a POST with a JSON body. */
export function rawPost(path: string, body: object, headers: Record<string, string> = {}): string {
  const text = JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `POST ${path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n` +
    `${lines.join('')}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}

function keepAsking(
  url: string,
  ahead: number,
  next: () => string | undefined,
  answered: (status: number) => void,
): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  let open = 0;
  let tail = '';
  const ask = (): void => {
    const request = next();
    if (request === undefined) return;
    open += 1;
    socket.write(request);
  };
  socket.setNoDelay().setEncoding('latin1');
  socket.on('connect', () => {
    for (let i = 0; i < ahead; i += 1) ask();
    if (open === 0) socket.end();
  });
  socket.on('data', (piece: string) => {
    const text = tail + piece;
    let read = 0;
    for (const match of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
      read = match.index + match[0].length;
      open -= 1;
      answered(Number(match[1]));
      ask();
    }
    // A status line may lie across two pieces.
    tail = text.slice(Math.max(read, text.length - 16));
    if (open === 0) socket.end();
  });
  socket.on('error', reject);
  socket.on('close', () =>
    open === 0 ? resolve(undefined) : reject(new Error(`${open} requests were not answered`)),
  );
  return promise;
}
