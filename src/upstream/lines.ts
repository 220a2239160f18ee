import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { CONNECT_TIMEOUT, KEEP_IDLE, MOST_IDLE } from './passage.ts';

/** One connection to a provider, made when it is first needed and again when it has gone; one request at a time. */
export class Line {
  readonly #client: Client;
  #awaitsHead = false;

  constructor(origin: string, connect: buildConnector.connector, timeoutMs: number) {
    this.#client = new Client(origin, {
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: KEEP_IDLE,
      keepAliveMaxTimeout: KEEP_IDLE,
      allowH2: false,
      connect: (options, connected) => {
        connect(options, (...[error, socket]) => {
          if (error !== null) return connected(error, null);
          withoutInformation(socket, () => this.#awaitsHead);
          connected(null, socket);
        });
      },
    });
  }

  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#awaitsHead = true;
    this.#client.dispatch(request, handler);
  }

  headCame(): void {
    this.#awaitsHead = false;
  }

  /** Ends whatever it does, an attempt to connect too. */
  destroy(): void {
    void this.#client.destroy();
  }
}

/** The lines to one provider. No bound on their number: behind a full pool, requests would wait for those of others. */
export class Lines {
  readonly #origin: string;
  readonly #timeoutMs: number;
  readonly #connect: buildConnector.connector;
  /** The one used last is used next, so that those that are not needed age and go. */
  readonly #idle: Line[] = [];
  readonly #busy = new Set<Line>();

  constructor(origin: string, timeoutMs: number) {
    this.#origin = origin;
    this.#timeoutMs = timeoutMs;
    this.#connect = buildConnector({ timeout: Math.min(timeoutMs, CONNECT_TIMEOUT), allowH2: false });
  }

  take(): Line {
    const line = this.#idle.pop() ?? new Line(this.#origin, this.#connect, this.#timeoutMs);
    this.#busy.add(line);
    return line;
  }

  giveBack(line: Line): void {
    if (!this.#busy.delete(line)) return;
    if (this.#idle.length < MOST_IDLE) this.#idle.push(line);
    else line.destroy();
  }

  /** Instead of giving it back. */
  discard(line: Line): void {
    this.#busy.delete(line);
    line.destroy();
  }

  close(): void {
    for (const line of [...this.#idle.splice(0), ...this.#busy]) line.destroy();
    this.#busy.clear();
  }
}

const HEAD_END = '\r\n\r\n';
/** Longer heads of this kind are no provider's. Bytes. */
const MOST_INFORMATION = 16_384;

/**
 * Takes informational answers (RFC 9110 §15.2) out of what a socket reads before an answer's head: undici breaks a
 * connection on a `100 Continue` that it has not asked for, while a client has to be able to take any number of them.
 */
function withoutInformation(socket: Socket, awaitsHead: () => boolean): void {
  const read = socket.read.bind(socket);
  let held: Buffer | undefined;
  socket.read = (size?: number): Buffer | null => {
    let piece = read(size) as Buffer | null;
    if (piece === null || !awaitsHead() || !(held !== undefined || isInformation(piece))) return piece;
    if (held !== undefined) piece = Buffer.concat([held, piece]);
    held = undefined;
    while (isInformation(piece)) {
      const end = piece.indexOf(HEAD_END);
      if (end < 0 && piece.length < MOST_INFORMATION) {
        held = piece;
        return null;
      }
      if (end < 0) return piece;
      piece = piece.subarray(end + HEAD_END.length);
    }
    return piece.length === 0 ? null : piece;
  };
}

/** `HTTP/1.1 100 …`; not 101, which ends HTTP. */
function isInformation(bytes: Buffer): boolean {
  // 'H', '1', '0': a cheap look, since it is in front of every answer.
  if (bytes[0] !== 0x48 || bytes[9] !== 0x31 || bytes[10] !== 0x30) return false;
  return /^HTTP\/1\.[01] 10[0234]/.test(bytes.toString('latin1', 0, 12));
}
