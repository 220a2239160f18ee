import { createDecipheriv } from 'node:crypto';

/** What `/activate` answers, as far as the key is concerned. */
export interface KeyEnvelopeJson {
  encrypted_api_key: string;
  iv: string;
}

/** What a client does with the answer of `/activate`. Node's decipher takes the padding off by itself. */
export function openKeyEnvelope({ encrypted_api_key, iv }: KeyEnvelopeJson, licenseKey: string): string {
  const decipher = createDecipheriv('aes-256-cbc', keyBytes(licenseKey), Buffer.from(iv, 'base64'));
  return decipher.update(encrypted_api_key, 'base64', 'utf8') + decipher.final('utf8');
}

/** The same with openssl, for a shell. */
export function decryptionCommand({ encrypted_api_key, iv }: KeyEnvelopeJson, licenseKey: string): string {
  const key = keyBytes(licenseKey).toString('hex');
  const vector = Buffer.from(iv, 'base64').toString('hex');
  return `echo ${encrypted_api_key} |\n  openssl enc -d -aes-256-cbc -base64 -A -K ${key} -iv ${vector}`;
}

/** The first 32 bytes of the license key's UTF-8, zero-padded. */
function keyBytes(licenseKey: string): Buffer {
  const key = Buffer.alloc(32);
  Buffer.from(licenseKey, 'utf8').copy(key);
  return key;
}
