import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { HeaderList } from '../header-list.ts';
import type { Pieces } from '../pieces.ts';
import { AnswerReader, type AnswerListener } from './answer-reader.ts';
import { KEEP_IDLE } from './passage.ts';

/** What is sent on a line: a request in full. */
export interface LineRequest {
  readonly method: string;
  /** Request line and header lines, up to and including the empty line. */
  readonly head: string;
  readonly body: Pieces;
}

/** Told what comes of a request; after `end` or `failed` nothing more. */
export interface LineListener extends AnswerListener {
  /** Nothing more has come so far, and the answer is not complete. */
  allRead(): void;
  /** It has been handed to the connection: the provider may get it from here on. */
  sent(): void;
  /** There will be no answer, or no more of it. */
  failed(error: Error): void;
}

/** The provider was silent for too long. */
export class SilentProvider extends Error {
  override readonly name = 'SilentProvider';
}

/** As one text, bytes as latin1, node writes it without making lists of what it writes. Bytes. */
export const SHORT = 8_192;
/** So much earlier than the other side said is a connection not used any more. Milliseconds. */
const BEFORE_IT_CLOSES = 1_000;

/** Whom a line belongs to. */
export interface LineOwner {
  readonly timeoutMs: number;
  connect(connected: buildConnector.Callback): void;
  /** Has it write once everything that has come so far has been read. */
  whenRead(line: Line): void;
  free(line: Line): void;
  gone(line: Line): void;
}

/**
 * A connection to a provider, which carries one request at a time. Nothing is sent again: a request that is on its way
 * when its connection breaks has failed. One that has not been written yet goes to a new connection.
 */
export class Line implements AnswerListener {
  readonly #lines: LineOwner;
  readonly #reader = new AnswerReader(this);
  #socket: Socket | undefined;
  /** Until it is written. */
  #request: LineRequest | undefined;
  #listener: LineListener | undefined;
  #paused = false;
  #isGone = false;
  /** Of `performance.now()`: it is not used any more from then on. */
  usableUntil = 0;

  constructor(lines: LineOwner) {
    this.#lines = lines;
  }

  /** Only on a line that has just been taken. */
  send(request: LineRequest, listener: LineListener): void {
    this.#listener = listener;
    this.#request = request;
    if (this.#socket === undefined) this.#connect();
    else this.#lines.whenRead(this);
  }

  /** What had come on its connection when `send` was called has been read by now. */
  write(): void {
    const socket = this.#socket;
    const request = this.#request;
    if (socket === undefined || request === undefined) return;
    this.#request = undefined;
    this.#reader.expect(request.method);
    writeTo(socket, request);
    this.#listener?.sent();
  }

  /** What has been read already is still told of. */
  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket?.setTimeout(this.#lines.timeoutMs);
    this.#socket?.resume();
  }

  /** Ends whatever it does, an attempt to connect too; its listener is not told. */
  destroy(): void {
    this.#isGone = true;
    this.#listener = undefined;
    this.#request = undefined;
    this.#reader.stop();
    this.#socket?.destroy();
    this.#lines.gone(this);
  }

  /** The same, and its listener is told. */
  close(): void {
    this.#fail(new Error('The gateway closes its connections'));
  }

  head(status: number, fields: HeaderList): void {
    this.#listener?.head(status, fields);
  }

  piece(bytes: Buffer): void {
    this.#listener?.piece(bytes);
  }

  end(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.end();
  }

  #connect(): void {
    this.#lines.connect((error, socket) => {
      if (error !== null) this.#fail(error);
      else if (this.#isGone) socket.destroy();
      else this.#connected(socket);
    });
  }

  #connected(socket: Socket): void {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#read(socket, bytes));
    socket.on('end', () => this.#ended(socket));
    socket.on('error', (error) => this.#lost(socket, error));
    socket.on('close', () => this.#lost(socket, cutShort()));
    // Node's own timer of a connection starts anew with what comes and with what goes: a long upload is no silence.
    socket.setTimeout(this.#lines.timeoutMs);
    socket.on('timeout', () => this.#silent(socket));
    this.write();
  }

  #read(socket: Socket, bytes: Buffer): void {
    if (socket !== this.#socket) return;
    // Nobody has asked for it: whoever asks next would take it for his answer.
    if (!this.#isBusy() || this.#request !== undefined) return this.#lost(socket, unasked());
    try {
      this.#reader.read(bytes);
      this.#listener?.allRead();
    } catch (error) {
      return this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#isBusy() || this.#isGone) return;
    // A provider that answers before it has the whole request may go on to take the rest for another one.
    if (!this.#reader.reusable || socket.writableLength > 0) return this.destroy();
    this.#becomeIdle(socket);
  }

  #isBusy(): boolean {
    return this.#listener !== undefined;
  }

  #becomeIdle(socket: Socket): void {
    const seconds = this.#reader.keepsFor;
    const keeps = seconds === undefined ? Infinity : seconds * 1_000 - BEFORE_IT_CLOSES;
    if (keeps <= 0) return this.destroy();
    if (this.#paused) {
      this.#paused = false;
      socket.resume();
    }
    this.usableUntil = performance.now() + Math.min(KEEP_IDLE, keeps);
    this.#lines.free(this);
  }

  /** The other side has said that nothing more comes. */
  #ended(socket: Socket): void {
    if (socket !== this.#socket) return;
    let isWhole: boolean;
    try {
      isWhole = this.#reader.close();
    } catch (error) {
      return this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (isWhole && !this.#isBusy()) this.destroy();
    else this.#lost(socket, cutShort());
  }

  /** The connection cannot be used any more. A request that has not been written to it yet gets another one. */
  #lost(socket: Socket, error: Error): void {
    if (socket !== this.#socket || this.#isGone) return;
    if (this.#request === undefined) return this.#fail(error);
    this.#socket = undefined;
    socket.destroy();
    this.#connect();
  }

  #fail(error: Error): void {
    if (this.#isGone) return;
    const listener = this.#listener;
    this.destroy();
    listener?.failed(error);
  }

  #silent(socket: Socket): void {
    if (socket !== this.#socket || !this.#isBusy() || this.#request !== undefined) return;
    const { timeoutMs } = this.#lines;
    // It is the client that takes its time.
    if (this.#paused) socket.setTimeout(timeoutMs);
    else this.#fail(new SilentProvider(`The provider was silent for ${timeoutMs} ms`));
  }
}

function writeTo(socket: Socket, { head, body }: LineRequest): void {
  const [first, ...more] = body;
  if (first === undefined || (more.length === 0 && first.length <= SHORT)) {
    socket.write(first === undefined ? head : head + first.toString('latin1'), 'latin1');
    return;
  }
  socket.cork();
  socket.write(head, 'latin1');
  for (const piece of body) socket.write(piece);
  socket.uncork();
}

function unasked(): Error {
  return new Error('The provider sent what nobody had asked for');
}

function cutShort(): Error {
  return new Error('The provider closed the connection before its answer was complete');
}
