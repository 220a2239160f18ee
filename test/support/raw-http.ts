import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseResponse, type RawResponse } from './raw-response.ts';

export { headerValue, headerValues, type RawResponse } from './raw-response.ts';

/** How long anything is waited for by default; a machine under load is slow. Milliseconds. */
export const PATIENCE = 15_000;

/**
 * A TCP connection to an HTTP server that sends exactly the bytes it is given. Strings are sent as latin1, so that
 * `\xff` is the byte 0xff.
 */
export class RawConnection {
  readonly #socket: Socket;
  readonly #waiters = new Set<() => void>();
  #pieces: Buffer[] = [];
  #ended = false;
  #closed: 'ended' | 'reset' | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#changed();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#changed();
    });
    socket.on('error', () => (this.#closed = 'reset'));
    socket.on('close', () => {
      this.#closed ??= 'ended';
      this.#changed();
    });
  }

  /** @param url `http://127.0.0.1:PORT` */
  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const connection = new RawConnection(socket);
    await once(socket, 'connect');
    return connection;
  }

  /**
   * Sends pieces one by one, each handed to the operating system before the next. A server that has closed the
   * connection meanwhile is no error here: what it answered tells.
   */
  async send(...pieces: (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      if (!this.#socket.writable) return;
      await new Promise<void>((resolve) => {
        this.#socket.once('close', resolve);
        this.#socket.write(bytes, () => {
          this.#socket.off('close', resolve);
          resolve();
        });
      });
    }
  }

  /**
   * The next answer, or undefined where the connection ended without a whole one.
   * @param options.method of the request: an answer to HEAD has no body
   */
  async next({ method = 'GET', withinMs = PATIENCE } = {}): Promise<RawResponse | undefined> {
    await this.#until('an answer', withinMs, () => this.#isOver || this.#parse(method) !== undefined);
    const parsed = this.#parse(method);
    if (parsed === undefined) return undefined;
    const rest = this.#received.subarray(parsed.length);
    this.#pieces = rest.length === 0 ? [] : [rest];
    return parsed.response;
  }

  /** All answers that come until the server closes the connection. */
  async rest(withinMs = PATIENCE): Promise<RawResponse[]> {
    const responses: RawResponse[] = [];
    for (;;) {
      const response = await this.next({ withinMs });
      if (response === undefined) return responses;
      responses.push(response);
    }
  }

  /** How the server closed the connection, once it has. */
  async closed(withinMs = PATIENCE): Promise<'ended' | 'reset'> {
    await this.#until('the end of the connection', withinMs, () => this.#isOver);
    return this.#closed ?? 'ended';
  }

  /** Whether the server says anything, or closes the connection; resolves to false where it does neither. */
  reactsWithin(ms: number): Promise<boolean> {
    return this.#until('anything', ms, () => this.#isOver || this.#pieces.length > 0).then(
      () => true,
      () => false,
    );
  }

  /** What has come and was not taken by `next` yet. */
  get received(): Buffer {
    return this.#received;
  }

  /** Waits until that much has come that the predicate is satisfied. */
  async receives(predicate: (received: Buffer) => boolean, withinMs = PATIENCE): Promise<void> {
    await this.#until('what was expected', withinMs, () => predicate(this.#received));
  }

  /** Reads nothing until `resume`: what comes meanwhile waits in the operating system, and a reset takes it away. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says that nothing will be sent any more, and goes on reading. */
  endSending(): void {
    this.#socket.end();
  }

  /** Goes away, as a client that is closed does. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Goes away with a TCP reset, as one that is killed does. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  get #isOver(): boolean {
    return this.#ended || this.#closed !== undefined;
  }

  get #received(): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.#pieces;
    if (others.length === 0) return first;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [whole];
    return whole;
  }

  #parse(method: string): ReturnType<typeof parseResponse> {
    return parseResponse(this.#received, { method, ended: this.#isOver });
  }

  #changed(): void {
    for (const look of [...this.#waiters]) look();
  }

  #until(what: string, withinMs: number, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#waiters.delete(look);
        clearTimeout(timer);
        settle();
      };
      const look = (): void => {
        try {
          if (isSo()) finish(resolve);
        } catch (error) {
          finish(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const late = (): void => {
        const came = JSON.stringify(this.#received.toString('latin1', 0, 200));
        finish(() => reject(new Error(`${what} did not come within ${withinMs} ms; so far: ${came}`)));
      };
      const timer = setTimeout(late, withinMs);
      this.#waiters.add(look);
      look();
    });
  }
}

/**
 * Sends bytes over a connection of their own and reads the first answer. The connection is closed afterwards.
 * @throws if there is none
 */
export async function askRaw(url: string, ...pieces: (string | Buffer)[]): Promise<RawResponse> {
  const connection = await RawConnection.open(url);
  try {
    const [answer] = await Promise.all([connection.next(), connection.send(...pieces)]);
    if (answer === undefined) throw new Error('the connection was closed without an answer');
    return answer;
  } finally {
    connection.destroy();
  }
}

/** A request's bytes: CRLF between the lines, an empty one behind them, and the body as it is. */
export function rawRequest(
  requestLine: string,
  headers: readonly string[],
  body: string | Buffer = '',
): Buffer {
  const head = [`${requestLine} HTTP/1.1`, 'Host: gateway.test', ...headers, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
}

/** The same with the body's length. */
export function rawPost(target: string, headers: readonly string[], body: string | Buffer): Buffer {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return rawRequest(`POST ${target}`, [...headers, length], body);
}
