import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a client that sent no HTTP has to take its answer, while what else it sends is thrown away. Milliseconds. */
const LINGER = 1_000;

const lastKey = Symbol('last');

/** A connection knows the response that was begun last on it, while that is under way. */
interface Carrier extends Duplex {
  [lastKey]?: ServerResponse | undefined;
}

/**
 * Answers what is no HTTP. Nothing that follows on such a connection can be trusted, so it is closed; but answers to
 * the requests before may still be under way on it, and must neither be mixed up with this one nor lost.
 */
export class MalformedRequests {
  readonly #ending = new WeakSet<Duplex>();

  /** To be told of each request. */
  began(res: ServerResponse): void {
    const socket: Carrier = res.req.socket;
    socket[lastKey] = res;
  }

  /** To be told when its answer is over: an idle connection must not keep its last request in memory. */
  ended(res: ServerResponse): void {
    const socket: Carrier = res.req.socket;
    if (socket[lastKey] === res) socket[lastKey] = undefined;
  }

  /** For the server's `clientError`, which comes again with each further piece that such a client sends. */
  answer(error: NodeJS.ErrnoException, socket: Carrier): void {
    if (error.code === 'ECONNRESET' || socket.destroyed) return void socket.destroy();
    if (this.#ending.has(socket)) return;
    this.#ending.add(socket);
    const last = socket[lastKey];
    if (last === undefined) {
      refuse(error.code, socket);
    } else if (last.req.complete) {
      // The error is behind the last request: its answer goes first.
      last.once('close', () => refuse(error.code, socket));
    } else if (last.socket === socket && !last.headersSent) {
      // The error is in the body of the only request under way.
      refuse(error.code, socket);
    } else {
      socket.destroy();
    }
  }
}

function refuse(errorCode: string | undefined, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy();
  const [status, message] = sentences[errorCode ?? ''] ?? [
    '400 Bad Request',
    'The request is not valid HTTP',
  ];
  const body = JSON.stringify({ error: message, code: 'invalid_request' });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  // To close at once, with bytes unread, would reset the connection and take the answer from the client.
  setTimeout(() => socket.destroy(), LINGER).unref();
}

const sentences: Record<string, readonly [status: string, message: string] | undefined> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are larger than 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time'],
};
