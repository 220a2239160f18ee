import { isUtf8 } from 'node:buffer';

/**
 * Bytes in the pieces in which they came. To have a megabyte in one piece it would have to be copied, which takes longer
 * than everything else that is done with it, and twice the memory for the garbage collector to look after.
 */
export type Pieces = readonly Buffer[];

/** What is smaller is put together: a body in chunks of one byte each would take a hundred times its size. Bytes. */
const SMALL = 8_192;
const BLOCK = 65_536;

const nothing: Buffer = Buffer.alloc(0);

/** Takes pieces as they come. Of the memory that they hold on to, at most a few times their length is ever in use. */
export class PieceCollector {
  readonly #pieces: Buffer[] = [];
  /** A small piece that has not been copied, as long as it is alone. */
  #held: Buffer | undefined;
  #block: Buffer = nothing;
  #filled = 0;
  #length = 0;

  /** Of all pieces. Bytes. */
  get length(): number {
    return this.#length;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (piece.length >= SMALL) {
      this.#closeBlock();
      this.#pieces.push(piece);
    } else if (this.#held === undefined && this.#filled === 0) this.#held = piece;
    else this.#copy(piece);
  }

  /** All that came so far; nothing may be added any more. */
  take(): Pieces {
    this.#closeBlock();
    return this.#pieces;
  }

  #copy(piece: Buffer): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#copy(held);
    if (this.#filled + piece.length > this.#block.length) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafeSlow(BLOCK);
    }
    piece.copy(this.#block, this.#filled);
    this.#filled += piece.length;
  }

  #closeBlock(): void {
    if (this.#held !== undefined) this.#pieces.push(this.#held);
    if (this.#filled > 0) this.#pieces.push(this.#block.subarray(0, this.#filled));
    this.#held = undefined;
    // What is left of the block serves the small pieces that follow a large one.
    this.#block = this.#block.subarray(this.#filled);
    this.#filled = 0;
  }
}

/** Bytes. */
export function lengthOf(pieces: Pieces): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}

/** In one piece; a copy, where it was not already. For what is known to be short. */
export function joined(pieces: Pieces): Buffer {
  const [first = nothing, ...others] = pieces;
  return others.length === 0 ? first : Buffer.concat(pieces);
}

/** The bytes from `start` to `end`, which is exclusive; nothing is copied. */
export function cut(pieces: Pieces, start: number, end: number): Pieces {
  const parts: Buffer[] = [];
  let at = 0;
  for (const piece of pieces) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, piece.length);
    if (from < to) parts.push(piece.subarray(from, to));
    at += piece.length;
    if (at >= end) break;
  }
  return parts;
}

/** Whether the bytes are UTF-8 (RFC 3629), wherever they are divided. */
export function areUtf8(pieces: Pieces): boolean {
  /** The beginning of a character whose rest is in the next piece. */
  let begun: Buffer = nothing;
  for (const piece of pieces) {
    let rest = piece;
    if (begun.length > 0) {
      const missing = lengthOfCharacter(begun[0] ?? 0) - begun.length;
      begun = Buffer.concat([begun, piece.subarray(0, missing)]);
      if (piece.length < missing) continue;
      if (!isUtf8(begun)) return false;
      rest = piece.subarray(missing);
    }
    const end = endOfCharacters(rest);
    if (!isUtf8(rest.subarray(0, end))) return false;
    begun = rest.subarray(end);
  }
  return begun.length === 0;
}

/** Where at the end of these bytes a character has begun whose rest is missing; their length where none has. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) return lengthOfCharacter(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function lengthOfCharacter(firstByte: number): number {
  if (firstByte >= 0xf0) return 4;
  return firstByte >= 0xe0 ? 3 : 2;
}
