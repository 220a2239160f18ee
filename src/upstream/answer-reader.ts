import type { HeaderList } from '../header-list.ts';
import { BadAnswer, checkField, readHead, type AnswerHead } from './answer-head.ts';

/** Told what an answer consists of as it comes. What it throws ends the reading. */
export interface AnswerListener {
  /** Of an answer that is not informational. Names are in lower case; a name comes as often as it was said. */
  head(status: number, fields: HeaderList): void;
  /** Of its body, framing removed. */
  piece(bytes: Buffer): void;
  /** It is complete. */
  end(): void;
}

/** A head, and trailers, may have so many bytes; node allows as many. */
const MOST_HEAD = 16_384;
/** Informational answers before the real one; a provider that sends more is stuck. */
const MOST_INFORMATIONAL = 64;
/** A chunk's size with its extensions. Bytes. */
const MOST_CHUNK_LINE = 1_024;

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
/** RFC 9112 §7.1: extensions are ignored. No number of more digits can be told exactly. */
const CHUNK_LINE = /^([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;

const nothing: Buffer = Buffer.alloc(0);

type State = 'idle' | 'head' | 'length' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailers' | 'to-the-end';

/**
 * Reads the answers that come on one connection, one at a time (RFC 9112), and strictly: whatever two readers might
 * understand differently is no answer. A line ends with CRLF, a length is said once, a coding is `chunked` or none.
 */
export class AnswerReader {
  readonly #listener: AnswerListener;
  #state: State = 'idle';
  /** What came of a head, a chunk's line or trailers whose rest is to come. */
  #held = nothing;
  /** Of a body of known length, or of a chunk: what is to come. Bytes. */
  #left = 0;
  #trailers = 0;
  #informational = 0;
  #hasNoBody = false;
  #reusable = false;
  #keepsFor: number | undefined;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** An answer to a request is to come. */
  expect(method: string): void {
    this.#state = 'head';
    this.#hasNoBody = method === 'HEAD';
    this.#informational = 0;
    this.#reusable = false;
    this.#keepsFor = undefined;
  }

  /** Whether the connection may be used again, once its answer has ended. */
  get reusable(): boolean {
    return this.#reusable;
  }

  /** How long the other side said that it keeps the connection open. Seconds. */
  get keepsFor(): number | undefined {
    return this.#keepsFor;
  }

  /**
   * Takes what came on the connection. Nothing may be given to it after it has thrown, or after its listener has let go
   * of the connection: see `stop`.
   * @throws BadAnswer, and what the listener throws
   */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'head':
          at = this.#readHead(bytes, at);
          break;
        case 'length':
        case 'chunk':
          at = this.#readBody(bytes, at);
          break;
        case 'chunk-line':
        case 'chunk-end':
        case 'trailers':
          at = this.#readLine(bytes, at);
          break;
        case 'to-the-end':
          this.#listener.piece(at === 0 ? bytes : bytes.subarray(at));
          return;
        case 'idle':
          // What nobody has asked for: whoever comes next would take it for his own.
          this.#reusable = false;
          return;
      }
    }
  }

  /** The other side has closed: an answer without a length ends here. Whether it has left nothing incomplete. */
  close(): boolean {
    if (this.#state === 'to-the-end') this.#end();
    return this.#state === 'idle';
  }

  /** What is still to come is nobody's. */
  stop(): void {
    this.#state = 'idle';
    this.#reusable = false;
    this.#held = nothing;
  }

  #readHead(bytes: Buffer, at: number): number {
    const { text, next } = this.#upTo(HEAD_END, bytes, at, MOST_HEAD);
    if (text !== undefined) this.#takeHead(text);
    // A head of no HTTP may go on for long: its first bytes tell.
    else if (this.#held.length >= 5 && this.#held.toString('latin1', 0, 5) !== 'HTTP/')
      throw new BadAnswer('It is no HTTP');
    return next;
  }

  /** The text up to an end, as latin1, and where it goes on behind that; undefined: its end is yet to come. */
  #upTo(ending: Buffer, bytes: Buffer, at: number, most: number): { text: string | undefined; next: number } {
    const held = this.#held;
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const start = held.length === 0 ? at : 0;
    const end = all.indexOf(ending, start);
    // What is there of its end does not count.
    if ((end < 0 ? all.length - ending.length + 1 : end) - start > most)
      throw new BadAnswer(`Something in it is longer than ${most} bytes`);
    this.#held = end < 0 ? all.subarray(start) : nothing;
    return end < 0
      ? { text: undefined, next: bytes.length }
      : { text: all.toString('latin1', start, end), next: end + ending.length - held.length };
  }

  #takeHead(text: string): void {
    const head = readHead(text);
    if (head.status === 101) throw new BadAnswer('The provider switched protocols, unasked');
    if (head.status < 200) {
      // RFC 9110 §15.2: a client has to be able to take them, expected or not. None has a body (RFC 9112 §6.2).
      if (head.isChunked || (head.length ?? 0) > 0) throw new BadAnswer('It announces a body of none');
      this.#informational += 1;
      if (this.#informational > MOST_INFORMATIONAL) throw new BadAnswer('It is announced again and again');
      return;
    }
    this.#keepsFor = head.keepsFor;
    this.#begin(head);
  }

  /** RFC 9112 §6.3: how the body ends. */
  #begin(head: AnswerHead): void {
    const { status, fields, length, isChunked, isOld } = head;
    if (isChunked && (length !== undefined || isOld)) throw new BadAnswer('Its length is said in two ways');
    this.#reusable = !head.closes && (!isOld || head.keepsOpen);
    const hasNone = this.#hasNoBody || status === 204 || status === 304;
    if (hasNone && !this.#hasNoBody && (isChunked || (length ?? 0) > 0)) this.#reusable = false;
    if (hasNone) this.#left = 0;
    else if (isChunked) this.#state = 'chunk-line';
    else if (length === undefined) {
      this.#state = 'to-the-end';
      this.#reusable = false;
    } else {
      this.#state = 'length';
      this.#left = length;
    }
    const isEmpty = hasNone || (this.#state === 'length' && this.#left === 0);
    this.#listener.head(status, fields);
    if (isEmpty && !this.#isIdle) this.#end();
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    const state = this.#state;
    if (this.#left === 0 && state === 'chunk') this.#state = 'chunk-end';
    this.#listener.piece(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.#left === 0 && state === 'length' && !this.#isIdle) this.#end();
    return end;
  }

  #readLine(bytes: Buffer, at: number): number {
    const most = this.#state === 'trailers' ? MOST_HEAD : MOST_CHUNK_LINE;
    const { text, next } = this.#upTo(LINE_END, bytes, at, most);
    if (text !== undefined) this.#takeLine(text);
    return next;
  }

  #takeLine(line: string): void {
    if (this.#state === 'chunk-line') {
      const [, digits] = CHUNK_LINE.exec(line) ?? [];
      if (digits === undefined) throw new BadAnswer("A chunk's size is no number");
      this.#left = parseInt(digits, 16);
      this.#trailers = 0;
      this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    } else if (this.#state === 'chunk-end') {
      if (line !== '') throw new BadAnswer('A chunk is longer than its size');
      this.#state = 'chunk-line';
    } else {
      // RFC 9112 §7.1.2: trailers may be discarded.
      this.#trailers += line.length + LINE_END.length;
      if (this.#trailers > MOST_HEAD) throw new BadAnswer('Its trailers are too long');
      if (line === '') this.#end();
      else checkField(line);
    }
  }

  /** Its listener may have stopped it. */
  get #isIdle(): boolean {
    return this.#state === 'idle';
  }

  #end(): void {
    this.#state = 'idle';
    this.#listener.end();
  }
}
