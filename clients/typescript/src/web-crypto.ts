import { LicensifyError } from './errors.ts';

/**
 * Absent on pages that did not come over https: https://developer.mozilla.org/docs/Web/API/Crypto/subtle
 * @throws LicensifyError where this page has none
 */
export function webCrypto(): SubtleCrypto {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined;
  if (subtle !== undefined) return subtle;
  throw new LicensifyError('There is no WebCrypto here: a page needs https, or localhost', {
    code: 'no_webcrypto',
  });
}

/** @throws where a text is no base64 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** So many random bytes, in hexadecimal digits. */
export function randomHex(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}
