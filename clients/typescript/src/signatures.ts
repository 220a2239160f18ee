import { signWith, type DeviceKey } from './device-key.ts';
import { randomHex, toBase64, toHex, webCrypto } from './web-crypto.ts';

/** How a client signs, by the gateway's docs/signing.md. */
export interface Stamp {
  timestamp: string;
  signature: string;
}

/** HMAC-SHA-256 under the proxy key, over timestamp, provider and body with nothing between them. */
export async function stampOf(
  proxyKey: string,
  request: { timestamp: string; provider: string; body: Uint8Array },
): Promise<Stamp> {
  const { timestamp, provider, body } = request;
  const subtle = webCrypto();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await subtle.importKey('raw', encoded(proxyKey), algorithm, false, ['sign']);
  const head = encoded(timestamp + provider);
  const message = new Uint8Array(head.length + body.length);
  message.set(head);
  message.set(body, head.length);
  return { timestamp, signature: toHex(new Uint8Array(await subtle.sign('HMAC', key, message))) };
}

/**
 * Unix seconds with nine digits behind the point, of which the last six are random: the same request at the same moment
 * needs another signature.
 * @param now milliseconds since 1970
 */
export function timestampAt(now: number): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `${(Math.floor(now) / 1_000).toFixed(3)}${String(random % 1_000_000).padStart(6, '0')}`;
}

export interface SignedMessage {
  method: string;
  /** Path and query as they are sent. */
  target: string;
  body: Uint8Array<ArrayBuffer>;
  /** Unix seconds. */
  created: number;
  /** Default: a random one. */
  nonce?: string;
}

/** The headers of an HTTP message signature under the device's key: RFC 9421, with RFC 9530 for the body. */
export async function messageHeaders(
  key: DeviceKey,
  message: SignedMessage,
): Promise<Record<string, string>> {
  const { method, target, body, created, nonce = randomHex(16) } = message;
  const query = target.indexOf('?');
  const lines: [component: string, value: string][] = [
    ['@method', method.toUpperCase()],
    ['@path', query === -1 ? target : target.slice(0, query)],
  ];
  if (query !== -1) lines.push(['@query', target.slice(query)]);
  const digest = body.length === 0 ? undefined : await contentDigest(body);
  if (digest !== undefined) lines.push(['content-digest', digest]);
  const components = lines.map(([component]) => `"${component}"`).join(' ');
  const parameters = `(${components});created=${created};keyid="${key.x}";alg="ed25519";nonce="${nonce}"`;
  const base = [...lines, ['@signature-params', parameters]].map(([name, value]) => `"${name}": ${value}`);
  const signature = toBase64(await signWith(key, encoded(base.join('\n'))));
  return {
    ...(digest !== undefined && { 'content-digest': digest }),
    'signature-input': `sig1=${parameters}`,
    signature: `sig1=:${signature}:`,
  };
}

async function contentDigest(body: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha-256=:${toBase64(new Uint8Array(await webCrypto().digest('SHA-256', body)))}:`;
}

export function encoded(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
