import { LicensifyError } from './errors.ts';
import { fromBase64, webCrypto } from './web-crypto.ts';

/**
 * Decrypts the key in the answer of `/activate`: AES-256-CBC under the first 32 bytes of the license key's UTF-8,
 * zero-padded. WebCrypto takes the padding off by itself.
 * @throws LicensifyError where this page has no WebCrypto, or the answer was made for another license key
 */
export async function openKeyEnvelope(encryptedKey: string, iv: string, licenseKey: string): Promise<string> {
  const subtle = webCrypto();
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
