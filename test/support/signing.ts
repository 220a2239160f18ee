import { createHash, createHmac, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decryptProxyKey } from './decrypt.ts';
import type { JsonAnswer, NewTestLicense, TestDevice, TestGateway } from './gateway.ts';
import { rememberSecret } from './output.ts';
import { project } from './cli.ts';

export const CHAT = '/proxy/openai/v1/chat/completions';

/** Tiers that differ in nothing but what they want to be signed. */
export const signingTiers = (
  limits = 'daily_limit = 1000\nmonthly_limit = 30000\nmax_devices = 3',
): string => `
[tiers.pro]
name = "Pro"
${limits}

[tiers.signed]
name = "Signed"
${limits}
require_signature = true

[tiers.bound]
name = "Bound"
${limits}
require_proof_of_possession = true
`;

/** Unix seconds with milliseconds, and so unlike those of another request nearly always. */
export function timestampAt(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

export interface Stamp {
  timestamp: string;
  signature: string;
}

/** An HMAC signature, made as docs/signing.md says. */
export function stamp(
  proxyKey: string,
  provider: string,
  body: string | Buffer,
  timestamp = timestampAt(Date.now()),
): Stamp {
  const hmac = createHmac('sha256', proxyKey).update(timestamp).update(provider).update(body);
  return { timestamp, signature: hmac.digest('hex') };
}

export function stampHeaders({ timestamp, signature }: Stamp): Record<string, string> {
  return { 'x-licensify-timestamp': timestamp, 'x-licensify-signature': signature };
}

/** A device's key pair. */
export interface TestKey {
  privateKey: KeyObject;
  /** The raw public key in base64url: what is sent at activation, and named by signatures. */
  id: string;
  /** The same as SPKI PEM. */
  pem: string;
}

export function newDeviceKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const id = publicKey.export({ format: 'jwk' }).x ?? '';
  return { privateKey, id, pem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

/** A request to sign, and how to deviate from what is right. */
export interface Unsigned {
  key: TestKey;
  method?: string;
  /** Path and query. */
  target?: string;
  body?: string | Buffer | undefined;
  /** Unix seconds. */
  created?: number;
  nonce?: string | null;
  keyid?: string | null;
  alg?: string | null;
  /** Further parameters, as they are to stand there. */
  further?: string;
  label?: string;
  /** Leaves a component out that belongs there. */
  without?: string;
}

export interface MessageSignature {
  'signature-input': string;
  signature: string;
  'content-digest'?: string;
}

/** An HTTP message signature, made by hand as docs/signing.md says: no library that the gateway uses takes part. */
export function signMessage(options: Unsigned): MessageSignature {
  const { key, method = 'POST', target = CHAT, body, label = 'sig1' } = options;
  const [path = '', ...queries] = target.split('?');
  const digest = body === undefined ? undefined : contentDigest(body);
  const lines = [
    ['@method', method],
    ['@path', path],
    ['@query', target.includes('?') ? `?${queries.join('?')}` : undefined],
    ['content-digest', digest],
  ].filter(([name, value]) => value !== undefined && name !== options.without);
  const parameters = parametersOf(options, lines.map(([name]) => `"${name ?? ''}"`).join(' '));
  const base = [
    ...lines.map(([name, value]) => `"${name ?? ''}": ${value ?? ''}`),
    `"@signature-params": ${parameters}`,
  ];
  const signature = sign(null, Buffer.from(base.join('\n')), key.privateKey).toString('base64');
  return {
    'signature-input': `${label}=${parameters}`,
    signature: `${label}=:${signature}:`,
    ...(digest !== undefined && { 'content-digest': digest }),
  };
}

export function contentDigest(body: string | Buffer): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

function parametersOf(options: Unsigned, components: string): string {
  const { key, created = Math.floor(Date.now() / 1_000), further = '' } = options;
  const text = (name: string, value: string | null): string => (value === null ? '' : `;${name}="${value}"`);
  const { keyid = key.id, alg = 'ed25519', nonce = randomUUID() } = options;
  return `(${components});created=${created}${text('keyid', keyid)}${text('alg', alg)}${text('nonce', nonce)}${further}`;
}

/** A new license, activated on a device with a key of its own. */
export async function boundDevice(
  gateway: TestGateway,
  key: TestKey,
  fields: NewTestLicense = {},
  hardwareId = 'hw-test',
): Promise<TestDevice> {
  const { id, licenseKey } = await gateway.createLicense(fields);
  const { proxyKey } = await activateWithKey(gateway, licenseKey, hardwareId, key.id);
  return { licenseId: id, licenseKey, hardwareId, proxyKey };
}

/** Activates with a public key; `proxyKey` is '' where that was refused. */
export async function activateWithKey(
  gateway: TestGateway,
  licenseKey: string,
  hardwareId: string,
  publicKey: unknown,
): Promise<{ answer: JsonAnswer; proxyKey: string }> {
  const answer = await gateway.request('/activate', {
    body: { license_key: licenseKey, hardware_id: hardwareId, public_key: publicKey },
  });
  if (answer.status !== 200) return { answer, proxyKey: '' };
  const envelope = answer.body as unknown as { encrypted_api_key: string; iv: string };
  const proxyKey = decryptProxyKey(envelope, licenseKey);
  rememberSecret(proxyKey);
  return { answer, proxyKey };
}

/** Sends bytes as they are. */
export async function send(
  gateway: TestGateway,
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer | undefined },
): Promise<JsonAnswer> {
  const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body } = options;
  const answer = await fetch(gateway.url + target, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  return {
    status: answer.status,
    headers: answer.headers,
    body: (isJson ? JSON.parse(text) : {}) as Record<string, never>,
    text,
  };
}

/** The sentence of an error, in whichever of the shapes. */
export function sentenceOf({ body }: JsonAnswer): string {
  const error: unknown = (body as { error?: unknown }).error;
  return typeof error === 'string' ? error : ((error as { message?: string } | undefined)?.message ?? '');
}

/** An SDK's `fetch` that signs with the proxy key. */
export function stampingFetch(proxyKey: string, provider: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const body = Buffer.from(await request.clone().arrayBuffer());
    const headers = stampHeaders(stamp(proxyKey, provider, body));
    for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    return fetch(request);
  };
}

/** The `fetch` of docs/signing.md, as it stands there. */
export async function documentedFetch(): Promise<(privateKey: KeyObject, keyId: string) => typeof fetch> {
  const text = readFileSync(join(project, 'docs/signing.md'), 'utf8');
  const code = /```js\n(import [^]*?)\nconst openai/.exec(text)?.[1];
  if (code === undefined) throw new Error('docs/signing.md has no code any more');
  const url = `data:text/javascript,${encodeURIComponent(`${code}\nexport { signingFetch };`)}`;
  const module = (await import(url)) as {
    signingFetch: (privateKey: KeyObject, keyId: string) => typeof fetch;
  };
  return module.signingFetch;
}
