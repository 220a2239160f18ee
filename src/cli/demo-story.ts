import type { ProviderName } from '../config.ts';
import { send, type DemoAnswer, type DemoCall } from './demo-call.ts';
import { decryptionCommand, openKeyEnvelope, type KeyEnvelopeJson } from './open-key-envelope.ts';
import { CommandError } from './terminal.ts';

/** Something that the demo shows: a call with its answer, or a command to run on the client's side. */
export type DemoStep =
  { title: string; call: DemoCall; answer: DemoAnswer } | { title: string; command: string; output: string };

/** A device that the demo has activated. */
export interface DemoDevice {
  licenseKey: string;
  proxyKey: string;
}

export interface DemoStage {
  /** The gateway's. */
  url: string;
  adminToken: string;
  show(step: DemoStep): void;
}

const HARDWARE_ID = 'ada-laptop';

/** The life of a license from its making to its limit, one call after the other. @throws CommandError where one fails */
export async function tellStory(stage: DemoStage): Promise<DemoDevice> {
  const device = await newDevice(stage, 'Make a license; its key is shown only now', {
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    tier: 'pro',
  });
  for (const provider of ['openai', 'anthropic'] as const) {
    for (const isStream of [false, true]) {
      await play(stage, envelopeCall(stage.url, provider, device, isStream));
      await play(stage, dropInCall(stage.url, provider, device, isStream));
    }
  }
  const limited = await newDevice(stage, 'Make another, for one request a day', {
    name: 'Charles Babbage',
    email: 'charles@example.com',
    tier: 'pro',
    daily_limit: 1,
  });
  const call = envelopeCall(stage.url, 'openai', limited, false);
  await play(stage, { ...call, title: 'Its one request of the day' });
  await play(stage, { ...call, title: 'One request more is refused, and counts nothing' }, 429);
  return device;
}

interface NewLicense {
  name: string;
  email: string;
  tier: string;
  daily_limit?: number;
}

async function newDevice(stage: DemoStage, title: string, license: NewLicense): Promise<DemoDevice> {
  const made = await play(
    stage,
    {
      title,
      url: `${stage.url}/admin/v1/licenses`,
      headers: { Authorization: `Bearer ${stage.adminToken}` },
      body: license,
    },
    201,
  );
  const { license_key: licenseKey } = JSON.parse(made.text) as { license_key: string };
  const activated = await play(stage, {
    title: 'Activate it on a device, which gets a proxy key of its own, encrypted',
    url: `${stage.url}/activate`,
    headers: {},
    body: { license_key: licenseKey, hardware_id: HARDWARE_ID },
  });
  const envelope = JSON.parse(activated.text) as KeyEnvelopeJson;
  const proxyKey = openKeyEnvelope(envelope, licenseKey);
  stage.show({
    title: 'The device decrypts it: the first 32 bytes of the license key are the key',
    command: decryptionCommand(envelope, licenseKey),
    output: proxyKey,
  });
  return { licenseKey, proxyKey };
}

/** Sends a call and shows it with its answer. */
async function play(stage: DemoStage, call: DemoCall, expected = 200): Promise<DemoAnswer> {
  const answer = await send(call);
  stage.show({ title: call.title, call, answer });
  if (answer.status === expected) return answer;
  throw new CommandError(`The demo expected status ${expected} here, and got ${answer.status}.`);
}

const providers = {
  openai: {
    name: 'OpenAI',
    path: '/v1/chat/completions',
    body: { model: 'gpt-4o-mini' },
    credential: (proxyKey: string) => ({ Authorization: `Bearer ${proxyKey}` }),
  },
  anthropic: {
    name: 'Anthropic',
    path: '/v1/messages',
    body: { model: 'claude-3-5-haiku-latest', max_tokens: 100 },
    credential: (proxyKey: string) => ({ 'x-api-key': proxyKey, 'anthropic-version': '2023-06-01' }),
  },
} as const;

function envelopeCall(
  url: string,
  provider: ProviderName,
  { proxyKey }: DemoDevice,
  isStream: boolean,
): DemoCall {
  return {
    title: titleOf(provider, isStream, 'as an envelope: the key and the request in one JSON body'),
    url: `${url}/proxy/${provider}${providers[provider].path}`,
    headers: {},
    body: { proxy_key: proxyKey, provider, body: chatBody(provider, isStream) },
    isStream,
  };
}

function dropInCall(
  url: string,
  provider: ProviderName,
  { proxyKey }: DemoDevice,
  isStream: boolean,
): DemoCall {
  return {
    title: titleOf(provider, isStream, "drop-in, as the provider's own SDK sends it"),
    url: `${url}/proxy/${provider}${providers[provider].path}`,
    headers: providers[provider].credential(proxyKey),
    body: chatBody(provider, isStream),
    isStream,
  };
}

function titleOf(provider: ProviderName, isStream: boolean, form: string): string {
  return `${providers[provider].name}, ${isStream ? 'streamed' : 'plain'}, ${form}`;
}

function chatBody(provider: ProviderName, isStream: boolean): object {
  return {
    ...providers[provider].body,
    ...(isStream && { stream: true }),
    messages: [{ role: 'user', content: 'Hello!' }],
  };
}
