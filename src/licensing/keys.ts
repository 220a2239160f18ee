import { createHmac, hash, randomBytes } from 'node:crypto';
import {
  ADMIN_TOKEN_PREFIX,
  base62,
  BASE62,
  hasKeyForm,
  hasProxyKeyForm,
  keyChecksum,
  PROXY_KEY_PREFIX,
} from '../key-forms.ts';

export { hasProxyKeyForm };

/** Crockford's base32: no I, L, O or U, so that a key survives being read aloud. */
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const LICENSE_KEY = /^LIC(?:-[0-9A-HJKMNP-TV-Z]{5}){5}$/;

const RANDOM_LENGTH = 26;
const TAG_LENGTH = 8;
const CHECKSUM_LENGTH = 6;

/** A license key: `LIC-` and 25 symbols of 5 random bits; 24 of them (120 bits) lie in its first 32 bytes. */
export function newLicenseKey(): string {
  const symbols = Array.from(randomBytes(25), (byte) => CROCKFORD.charAt(byte & 31)).join('');
  return `LIC-${(symbols.match(/.{5}/g) ?? []).join('-')}`;
}

/**
 * The canonical form of a license key as somebody typed it (case, surrounding space, and the letters that
 * Crockford's alphabet reads as digits), or undefined where it cannot be one.
 */
export function canonicalLicenseKey(typed: string): string | undefined {
  const upper = typed.trim().toUpperCase();
  if (!upper.startsWith('LIC-')) return undefined;
  const key = 'LIC-' + upper.slice(4).replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return LICENSE_KEY.test(key) ? key : undefined;
}

/**
 * Makes and recognizes keys of one kind: their prefix, 26 random base62 characters (154 bits), an 8-character tag and a
 * 6-character CRC-32 of all that precedes it.
 *
 * The tag is an HMAC of the random part under a secret that every instance shares: a key that was never issued is
 * refused from memory, however many of them somebody sends, and no valid key is ever refused for it. It authorizes
 * nothing; only the stored hash does.
 */
class TaggedKeys {
  readonly #prefix: string;
  readonly #tagSecret: Buffer;

  constructor(prefix: string, tagSecret: Buffer) {
    this.#prefix = prefix;
    this.#tagSecret = tagSecret;
  }

  issue(): string {
    const random = randomBase62(RANDOM_LENGTH);
    const body = this.#prefix + random + this.#tag(random);
    return body + keyChecksum(body);
  }

  /** Whether this gateway's installation can have issued the key: no look-up, no I/O. */
  plausible(key: string): boolean {
    if (!hasKeyForm(key, this.#prefix)) return false;
    const start = this.#prefix.length;
    const random = key.slice(start, start + RANDOM_LENGTH);
    return key.slice(start + RANDOM_LENGTH, -CHECKSUM_LENGTH) === this.#tag(random);
  }

  #tag(random: string): string {
    const digest = createHmac('sha256', this.#tagSecret).update(random).digest();
    return base62(digest.readBigUInt64BE(), TAG_LENGTH);
  }
}

/** The keys of devices, `px_…`. */
export class ProxyKeys extends TaggedKeys {
  constructor(tagSecret: Buffer) {
    super(PROXY_KEY_PREFIX, tagSecret);
  }
}

/** The tokens of administrators, `lat_…`. */
export class AdminTokenKeys extends TaggedKeys {
  constructor(tagSecret: Buffer) {
    super(ADMIN_TOKEN_PREFIX, tagSecret);
  }
}

/** What is stored of a key: its SHA-256. Keys are random, so no salt and no slow hash is needed. */
export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** The same as text, for keys of in-memory maps. */
export function hashKeyText(key: string): string {
  return hash('sha256', key, 'base64');
}

/** The first characters of a key, for people to tell keys apart; too few to help a guess. */
export function displayPrefix(key: string): string {
  return key.slice(0, 9);
}

function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    // 248 is the largest multiple of 62 in a byte: beyond it the first characters would come more often.
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += BASE62.charAt(byte % 62);
    }
  }
  return text;
}
