import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One connection that a gateway made, and all that it has sent on it. */
export class UpstreamConnection {
  readonly socket: Socket;
  readonly #pieces: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => this.#pieces.push(piece));
    socket.on('error', () => undefined); // the gateway may go away at any time
  }

  /** Everything received so far, as latin1. */
  get received(): string {
    return Buffer.concat(this.#pieces).toString('latin1');
  }
}

/**
 * A provider that is no HTTP server at all: it keeps the exact bytes that come, and once a request's head is there it
 * does what the test tells it to.
 */
export class RawUpstream {
  /** In order of arrival. */
  readonly connections: UpstreamConnection[] = [];
  /** Called for each request head; by default it is answered with an empty JSON object. */
  onHead: (connection: UpstreamConnection) => void = ({ socket }) => socket.write(rawAnswer('200 OK', '{}'));
  readonly #server: Server;
  /** `http://127.0.0.1:PORT` */
  url = '';

  private constructor() {
    this.#server = createServer((socket) => {
      const connection = new UpstreamConnection(socket);
      this.connections.push(connection);
      let heads = 0;
      socket.on('data', () => {
        // Bodies in these tests hold no empty line, so each one ends a head.
        const ends = connection.received.split('\r\n\r\n').length - 1;
        for (; heads < ends && isRequestHead(connection.received, heads); heads += 1) this.onHead(connection);
      });
    });
  }

  static async start(): Promise<RawUpstream> {
    const upstream = new RawUpstream();
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    upstream.url = `http://127.0.0.1:${(upstream.#server.address() as AddressInfo).port}`;
    return upstream;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** An answer's bytes, with its length. */
export function rawAnswer(status: string, body: string, headers: readonly string[] = []): string {
  const all = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
  return [`HTTP/1.1 ${status}`, ...all, '', body].join('\r\n');
}

/** The end of a chunked body also is an empty line; it has no request line before it. */
function isRequestHead(received: string, index: number): boolean {
  const head = received.split('\r\n\r\n')[index] ?? '';
  return head.includes(' HTTP/1.1\r\n');
}
