import { LicensifyError } from './errors.ts';

/**
 * Decrypts the key in the answer of `/activate`: AES-256-CBC under the first 32 bytes of the license key's UTF-8,
 * zero-padded. WebCrypto takes the padding off by itself.
 * @throws LicensifyError where this page has no WebCrypto, or the answer was made for another license key
 */
export async function openKeyEnvelope(encryptedKey: string, iv: string, licenseKey: string): Promise<string> {
  // Absent on pages that did not come over https: https://developer.mozilla.org/docs/Web/API/Crypto/subtle
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) {
    throw new LicensifyError('There is no WebCrypto here: a page needs https, or localhost', {
      code: 'no_webcrypto',
    });
  }
  const bytes = new Uint8Array(32);
  bytes.set(new TextEncoder().encode(licenseKey).subarray(0, 32));
  try {
    const key = await subtle.importKey('raw', bytes, 'AES-CBC', false, ['decrypt']);
    const algorithm = { name: 'AES-CBC', iv: fromBase64(iv) };
    const opened = await subtle.decrypt(algorithm, key, fromBase64(encryptedKey));
    return new TextDecoder('utf-8', { fatal: true }).decode(opened);
  } catch (cause) {
    throw new LicensifyError('The key in the answer of /activate cannot be decrypted with this license key', {
      code: 'undecryptable',
      cause,
    });
  }
}

/** @throws where a text is no base64 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
