import { randomBytes } from 'node:crypto';
import type { JsonAnswer, TestGateway } from './gateway.ts';
import { rememberSecret } from './output.ts';
import type { RecordedRequest } from './simulator/recorder.ts';

/** A provider as the admin API shows it. */
export interface AdminProvider {
  provider: string;
  configured: boolean;
  source: string | null;
  fingerprint: string | null;
  since: string | null;
  last_refused_at: string | null;
  replaces: { source: string; fingerprint: string } | null;
}

/** A master key, in base64; no text that a gateway writes may hold it. */
export function newMasterKey(): string {
  const key = randomBytes(32).toString('base64');
  rememberSecret(key);
  return key;
}

/** A key that looks like OpenAI's. */
export function newOpenAiKey(): string {
  const key = `sk-test-${randomBytes(16).toString('hex')}`;
  rememberSecret(key);
  return key;
}

export function setKey(gateway: TestGateway, key: unknown, provider = 'openai'): Promise<JsonAnswer> {
  return gateway.admin(`/providers/${provider}/key`, { method: 'PUT', body: { key } });
}

export function removeKey(gateway: TestGateway, provider = 'openai'): Promise<JsonAnswer> {
  return gateway.admin(`/providers/${provider}/key`, { method: 'DELETE' });
}

export async function openaiOf(gateway: TestGateway): Promise<AdminProvider> {
  const { data } = (await gateway.admin('/providers')).body as unknown as { data: AdminProvider[] };
  const openai = data.find(({ provider }) => provider === 'openai');
  if (openai === undefined) throw new Error('openai is not among the providers');
  return openai;
}

/** The key that a request reached the provider with. */
export function keyOf(request: RecordedRequest | undefined): string | undefined {
  return request?.headers.authorization?.replace('Bearer ', '');
}
