import { crc32 } from 'node:zlib';

export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const AFTER_PREFIX = /^[0-9A-Za-z]{40}$/;

/** What looks like a proxy key, an admin token or a license key, wherever it stands. */
const ANY_KEY = /(?:px|lat)_[0-9A-Za-z]{40}|LIC(?:-[0-9A-Za-z]{5}){5}/gi;

/** What every proxy key begins with. */
export const PROXY_KEY_PREFIX = 'px_';
/** What every stored admin token begins with. */
export const ADMIN_TOKEN_PREFIX = 'lat_';
/** Characters. */
export const PROXY_KEY_LENGTH = 43;
const CHECKSUM_LENGTH = 6;

/** Whether a string has a proxy key's shape and checksum, as a secret scanner would ask. */
export function hasProxyKeyForm(key: string): boolean {
  return hasKeyForm(key, PROXY_KEY_PREFIX);
}

/** The same for what begins with another prefix. */
export function hasKeyForm(key: string, prefix: string): boolean {
  return (
    key.length === prefix.length + 40 &&
    key.startsWith(prefix) &&
    AFTER_PREFIX.test(key.slice(prefix.length)) &&
    keyChecksum(key.slice(0, -CHECKSUM_LENGTH)) === key.slice(-CHECKSUM_LENGTH)
  );
}

/** A text that is about to be shown or written down, without the keys that a client may have put into it. */
export function withoutKeys(text: string): string {
  return text.replaceAll(ANY_KEY, '(key)');
}

/** The last characters of a key, made of all that precede them. */
export function keyChecksum(text: string): string {
  return base62(BigInt(crc32(text)), CHECKSUM_LENGTH);
}

/** A number's last digits to the base 62. */
export function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = BASE62.charAt(Number(rest % 62n)) + text;
  return text;
}
