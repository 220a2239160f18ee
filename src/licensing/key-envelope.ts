import { createCipheriv, randomBytes } from 'node:crypto';

/** What `/activate` answers: base64 of the ciphertext and of its initialization vector. */
export interface KeyEnvelope {
  encryptedApiKey: string;
  iv: string;
}

/**
 * Encrypts a key for whoever holds the license key: AES-256-CBC with PKCS#7 padding; the key is the first 32 bytes of
 * the license key's UTF-8, zero-padded; fresh random bytes as the vector (contract §3.1).
 * @param licenseKey as the client sent it, since the client derives the same bytes from what it has
 */
export function encryptForLicense(apiKey: string, licenseKey: string): KeyEnvelope {
  const key = Buffer.alloc(32);
  Buffer.from(licenseKey, 'utf8').copy(key);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(apiKey, 'utf8'), cipher.final()]);
  return { encryptedApiKey: encrypted.toString('base64'), iv: iv.toString('base64') };
}
