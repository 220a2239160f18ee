import type { Pieces } from '../pieces.ts';
import { hasProxyKeyForm, PROXY_KEY_LENGTH, PROXY_KEY_PREFIX } from '../key-forms.ts';

const CANDIDATE = new RegExp(`px_[0-9A-Za-z]{${PROXY_KEY_LENGTH - PROXY_KEY_PREFIX.length}}`, 'g');
/** What may be the beginning of a key whose rest is yet to come. */
const BEGINNING = new RegExp(`(?:px?|px_[0-9A-Za-z]{0,${PROXY_KEY_LENGTH - PROXY_KEY_PREFIX.length - 1}})$`);

/**
 * Looks for proxy keys in what is about to go to a provider: the request's own, and anybody's, since a client may hold
 * several and mix them up.
 */
export class KeySearch {
  readonly #own: string;

  constructor(own: string) {
    this.#own = own;
  }

  /** Whether a header's value, or a part of a query, holds a key. */
  inText(text: string): boolean {
    if (!text.includes(PROXY_KEY_PREFIX)) return false;
    if (text.includes(this.#own)) return true;
    for (const [candidate] of text.matchAll(CANDIDATE)) if (hasProxyKeyForm(candidate)) return true;
    return false;
  }

  inBytes(bytes: Buffer): boolean {
    return bytes.includes(PROXY_KEY_PREFIX) && this.inText(bytes.toString('latin1'));
  }

  /** Wherever the bytes are divided. */
  inPieces(pieces: Pieces): boolean {
    let before: Buffer | undefined;
    for (const piece of pieces) {
      if (this.inBytes(piece)) return true;
      if (before !== undefined) {
        const seam = Buffer.concat([before, piece.subarray(0, PROXY_KEY_LENGTH - 1)]);
        if (this.inBytes(seam)) return true;
      }
      const isWhole = before === undefined || piece.length >= PROXY_KEY_LENGTH;
      before = (isWhole ? piece : Buffer.concat([before ?? piece, piece])).subarray(-PROXY_KEY_LENGTH + 1);
    }
    return false;
  }
}

/** Where at the end of these bytes a key may have begun; their length where none has. */
export function beginningOfKey(bytes: Buffer): number {
  const from = Math.max(0, bytes.length - PROXY_KEY_LENGTH + 1);
  const at = bytes.toString('latin1', from).search(BEGINNING);
  return at < 0 ? bytes.length : from + at;
}
