import { createDecipheriv } from 'node:crypto';

/** What a client does with the answer of `/activate`: Node's decipher takes the padding off by itself. */
export function decryptProxyKey(
  answer: { encrypted_api_key: string; iv: string },
  licenseKey: string,
): string {
  const key = Buffer.alloc(32);
  Buffer.from(licenseKey, 'utf8').copy(key);
  const decipher = createDecipheriv('aes-256-cbc', key, Buffer.from(answer.iv, 'base64'));
  return decipher.update(answer.encrypted_api_key, 'base64', 'utf8') + decipher.final('utf8');
}
