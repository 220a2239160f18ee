/** Where a top-level member's value stands, as byte offsets into all that was fed. */
export interface Member {
  readonly key: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** The value's first byte tells its type: `{`, `[`, `"`, a digit or `-`, or the first letter of a literal. */
  readonly firstByte: number;
}

/** Thrown on what is not one JSON object; `offset` is a byte offset. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`${problem} at byte ${offset}`);
    this.offset = offset;
  }
}

/** Deeper nesting than any request to a provider has; it bounds what the scanner remembers. */
const MAX_DEPTH = 1_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** So far a string is walked in place, and again behind each escaped quote: a call of `indexOf` costs more. */
const SHORT_STRING = 24;

const SCALAR = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;
/** Too few to show a key that stands there without its quotes. */
const MAX_SCALAR_SHOWN = 12;

/** What may come next: a value, a value or `]`, a key, a key or `}`, a colon, a comma or the end of the container. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

/**
 * Finds the top-level members of a JSON object without building it, so that a member's value can be cut out byte for
 * byte as it was sent. It takes the text in pieces and walks it once, without recursion. Inside strings it leaves
 * escapes and control characters to whoever reads the value.
 */
export class JsonScanner {
  readonly #onMember: (member: Member) => void;
  /** One entry for each open container: true for an object. */
  readonly #open: boolean[] = [];
  #expected: Expected = 'value';
  /** Bytes fed before the current piece. */
  #fed = 0;
  #inString = false;
  #inScalar = false;
  /** The key or scalar being read; '' again when it ends. Only top-level keys and scalars are kept. */
  #text = '';
  #keepText = false;
  #escaped = false;
  #topKey = '';
  #valueStart = -1;
  #valueFirstByte = 0;
  #stopped = false;

  constructor(onMember: (member: Member) => void) {
    this.#onMember = onMember;
  }

  /** Ends the walk: nothing that follows is looked at any more. For `onMember`, when it has what it looked for. */
  stop(): void {
    this.#stopped = true;
  }

  /** @throws JsonSyntaxError */
  feed(piece: Buffer): void {
    let at = 0;
    while (at < piece.length && !this.#stopped) {
      if (this.#inString) at = this.#walkString(piece, at);
      else if (this.#inScalar) at = this.#walkScalar(piece, at);
      else at = this.#step(piece, at);
    }
    this.#fed += piece.length;
  }

  /** Says that nothing comes any more. @throws JsonSyntaxError if the object is not complete */
  end(): void {
    if (this.#fed === 0) throw new JsonSyntaxError('The body is empty', 0);
    if (this.#expected !== 'nothing') throw new JsonSyntaxError('The JSON ends too early', this.#fed);
  }

  #step(piece: Buffer, at: number): number {
    const byte = piece[at] ?? 0;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return at + 1;
    switch (this.#expected) {
      case 'value':
      case 'value-or-end':
        return this.#beginValue(byte, at);
      case 'key':
      case 'key-or-end':
        return this.#beginKey(byte, at);
      case 'colon':
        if (byte !== COLON) throw this.#unexpected(byte, at, '":"');
        this.#expected = 'value';
        return at + 1;
      case 'comma-or-end':
        return this.#afterValue(byte, at);
      case 'nothing':
        throw this.#unexpected(byte, at, 'the end of the body');
    }
  }

  #beginValue(byte: number, at: number): number {
    if (byte === CLOSE_ARRAY && this.#expected === 'value-or-end') return this.#close(at);
    if (this.#open.length === 0 && byte !== OPEN_OBJECT) throw this.#unexpected(byte, at, 'a JSON object');
    if (this.#open.length === 1) {
      this.#valueStart = this.#fed + at;
      this.#valueFirstByte = byte;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (this.#open.length >= MAX_DEPTH) {
        throw new JsonSyntaxError(`The JSON is nested more than ${MAX_DEPTH} deep`, this.#fed + at);
      }
      this.#open.push(byte === OPEN_OBJECT);
      this.#expected = byte === OPEN_OBJECT ? 'key-or-end' : 'value-or-end';
      return at + 1;
    }
    if (byte === QUOTE) {
      this.#inString = true;
      return at + 1;
    }
    this.#inScalar = true;
    this.#text = '';
    return at;
  }

  #beginKey(byte: number, at: number): number {
    if (byte === CLOSE_OBJECT && this.#expected === 'key-or-end') return this.#close(at);
    if (byte !== QUOTE) throw this.#unexpected(byte, at, 'a member name in double quotes');
    this.#inString = true;
    this.#keepText = this.#open.length === 1;
    this.#text = '';
    this.#expected = 'colon';
    return at + 1;
  }

  #afterValue(byte: number, at: number): number {
    const inObject = this.#open.at(-1) ?? false;
    if (byte === COMMA) {
      this.#expected = inObject ? 'key' : 'value';
      return at + 1;
    }
    if (byte === (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return this.#close(at);
    throw this.#unexpected(byte, at, inObject ? '"," or "}"' : '"," or "]"');
  }

  #close(at: number): number {
    this.#open.pop();
    if (this.#open.length === 0) this.#expected = 'nothing';
    else this.#endValue(at + 1);
    return at + 1;
  }

  #endValue(end: number): void {
    this.#expected = 'comma-or-end';
    if (this.#open.length !== 1) return;
    this.#onMember({
      key: this.#topKey,
      start: this.#valueStart,
      end: this.#fed + end,
      firstByte: this.#valueFirstByte,
    });
  }

  /** To behind the closing quote, or to the end of the piece. */
  #walkString(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length) {
      const near = Math.min(piece.length, at + SHORT_STRING);
      while (at < near) {
        const byte = piece[at];
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) return this.#endString(piece, from, at);
        at += 1;
      }
      if (at === piece.length) break;
      const quote = piece.indexOf(QUOTE, at);
      const end = quote < 0 ? piece.length : quote;
      this.#escaped = isEscaped(piece, at, end, this.#escaped);
      if (quote >= 0 && !this.#escaped) return this.#endString(piece, from, quote);
      if (quote >= 0) this.#escaped = false;
      at = end + 1;
    }
    if (this.#keepText) this.#text += piece.toString('latin1', from);
    return piece.length;
  }

  #endString(piece: Buffer, from: number, quote: number): number {
    this.#inString = false;
    if (this.#keepText) {
      this.#keepText = false;
      this.#topKey = this.#decodeKey(this.#text + piece.toString('latin1', from, quote), quote);
    } else if (this.#expected !== 'colon') this.#endValue(quote + 1);
    return quote + 1;
  }

  #decodeKey(latin1: string, at: number): string {
    const source = Buffer.from(latin1, 'latin1').toString('utf8');
    if (!source.includes('\\')) return source;
    try {
      return String(JSON.parse(`"${source}"`));
    } catch {
      throw new JsonSyntaxError('A member name has a bad escape', this.#fed + at);
    }
  }

  #walkScalar(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length && !endsScalar(piece[at] ?? 0)) at += 1;
    this.#text += piece.toString('latin1', from, at);
    if (at === piece.length) return at;
    if (!SCALAR.test(this.#text)) {
      const shown = JSON.stringify(
        this.#text.slice(0, MAX_SCALAR_SHOWN) || piece.toString('latin1', at, at + 1),
      );
      throw new JsonSyntaxError(`${shown} is not a JSON value`, this.#fed + at);
    }
    this.#inScalar = false;
    this.#endValue(at);
    return at;
  }

  #unexpected(byte: number, at: number, wanted: string): JsonSyntaxError {
    const found =
      byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16)}`;
    return new JsonSyntaxError(`Found ${found} where ${wanted} was expected,`, this.#fed + at);
  }
}

/** Whether the byte at `end` is escaped: an odd number of backslashes stands before it that are not escaped themselves. */
function isEscaped(piece: Buffer, from: number, end: number, escapedAtStart: boolean): boolean {
  const start = escapedAtStart ? from + 1 : from;
  if (start > end) return true;
  let backslashes = 0;
  while (end - backslashes > start && piece[end - backslashes - 1] === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY;
}
