import { isFieldValue, type HeaderList } from '../header-list.ts';

/** Told what an answer consists of as it comes. What it throws ends the reading. */
export interface AnswerListener {
  /** Of an answer that is not informational. Names are in lower case; a name comes as often as it was said. */
  head(status: number, fields: HeaderList): void;
  /** Of its body, framing removed. */
  piece(bytes: Buffer): void;
  /** It is complete. */
  end(): void;
}

/** Nobody can say what was meant, or how long it is: its connection cannot be used any more. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** A head, and trailers, may have so many bytes; node allows as many. */
const MOST_HEAD = 16_384;
/** Informational answers before the real one; a provider that sends more is stuck. */
const MOST_INFORMATIONAL = 64;
/** To look for a name takes longer the more there are; no provider has a tenth of these. */
const MOST_FIELDS = 1_000;
/** A chunk's size with its extensions. Bytes. */
const MOST_CHUNK_LINE = 1_024;

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9112 §7.1: extensions are ignored. No number of more digits can be told exactly. */
const CHUNK_LINE = /^([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;

const nothing: Buffer = Buffer.alloc(0);

type State = 'idle' | 'head' | 'length' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailers' | 'to-the-end';

/** What of a head says how its answer ends and whether another may follow. */
interface Framing {
  isOld: boolean;
  length: number | undefined;
  isChunked: boolean;
  closes: boolean;
  keepsOpen: boolean;
}

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
    const lineEnd = text.indexOf('\r\n');
    const [, minor, code] = STATUS_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd)) ?? [];
    if (code === undefined) throw new BadAnswer('It does not begin with a status line');
    const status = Number(code);
    if (status === 101) throw new BadAnswer('The provider switched protocols, unasked');
    const framing: Framing = {
      isOld: minor === '0',
      length: undefined,
      isChunked: false,
      closes: false,
      keepsOpen: false,
    };
    const fields: HeaderList = [];
    for (let at = lineEnd < 0 ? text.length : lineEnd + 2; at < text.length;) {
      const next = text.indexOf('\r\n', at);
      const end = next < 0 ? text.length : next;
      this.#takeField(text, at, end, fields, framing);
      at = end + 2;
    }
    if (status < 200) {
      // RFC 9110 §15.2: a client has to be able to take them, expected or not. None has a body (RFC 9112 §6.2).
      if (framing.isChunked || (framing.length ?? 0) > 0) throw new BadAnswer('It announces a body of none');
      this.#keepsFor = undefined;
      this.#informational += 1;
      if (this.#informational > MOST_INFORMATIONAL) throw new BadAnswer('It is announced again and again');
      return;
    }
    this.#begin(status, fields, framing);
  }

  #takeField(text: string, start: number, end: number, fields: HeaderList, framing: Framing): void {
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon > end) throw new BadAnswer('A header line has no name');
    const name = lowerName(text.slice(start, colon));
    const value = withoutSpace(text, colon + 1, end);
    if (fields.length >= 2 * MOST_FIELDS) throw new BadAnswer('It has too many headers');
    if (!isFieldValue(value)) throw new BadAnswer(`The header ${name} has a control character`);
    fields.push(name, value);
    // Few names have these lengths, which is quicker to see than that they are none of these.
    switch (name.length) {
      case 10:
        if (name === 'connection') takeConnection(value, framing);
        else if (name === 'keep-alive') this.#keepsFor ??= keepAliveTimeout(value);
        break;
      case 14:
        if (name === 'content-length') framing.length = lengthIn(value, framing.length);
        break;
      case 17:
        if (name === 'transfer-encoding') {
          if (framing.isChunked || value.toLowerCase() !== 'chunked')
            throw new BadAnswer('Its only transfer coding may be chunked');
          framing.isChunked = true;
        }
    }
  }

  /** RFC 9112 §6.3: how the body ends. */
  #begin(status: number, fields: HeaderList, framing: Framing): void {
    const { length, isChunked, isOld } = framing;
    if (isChunked && (length !== undefined || isOld)) throw new BadAnswer('Its length is said in two ways');
    this.#reusable = !framing.closes && (!isOld || framing.keepsOpen);
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

/** Of what is not passed on only that it is a field (RFC 9112 §5). */
function checkField(line: string): void {
  const colon = line.indexOf(':');
  if (colon < 0 || !TOKEN.test(line.slice(0, colon)) || !isFieldValue(line.slice(colon + 1)))
    throw new BadAnswer('A trailer is no field');
}

/** Names as they were said, and in lower case: providers say the same few with each answer. */
const lowerNames = new Map<string, string>();
const MOST_NAMES = 1_000;

function lowerName(name: string): string {
  const known = lowerNames.get(name);
  if (known !== undefined) return known;
  if (!TOKEN.test(name)) throw new BadAnswer('A header has a name that is none');
  const lower = name.toLowerCase();
  // A copy: a part of a string holds on to the whole of it.
  if (lowerNames.size < MOST_NAMES) lowerNames.set(Buffer.from(name).toString('latin1'), lower);
  return lower;
}

/** RFC 9110 §5.6.3: spaces and tabs around a value are not of it. */
function withoutSpace(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function lengthIn(value: string, before: number | undefined): number {
  if (before !== undefined) throw new BadAnswer('Its length is said twice');
  if (!/^\d{1,15}$/.test(value)) throw new BadAnswer('Its length is no number');
  return Number(value);
}

function takeConnection(value: string, framing: Framing): void {
  for (const option of value.toLowerCase().split(',')) {
    const name = option.trim();
    if (name === 'close') framing.closes = true;
    else if (name === 'keep-alive') framing.keepsOpen = true;
  }
}

function keepAliveTimeout(value: string): number | undefined {
  const [, seconds] = /(?:^|[\s,;])timeout=(\d{1,9})(?:$|[\s,;])/i.exec(value) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
