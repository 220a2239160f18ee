import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import {
  anthropicAt,
  assertOnlyRealKeysIn,
  collect,
  failFirst,
  openaiAt,
  sameAsDirect,
} from '../support/sdk-stage.ts';
import {
  boundDevice,
  documentedFetch,
  newDeviceKey,
  signingTiers,
  stampingFetch,
} from '../support/signing.ts';
import { ANTHROPIC_KEY, OPENAI_KEY, startSimulator, type Simulator } from '../support/simulator/simulator.ts';

const messages = [{ role: 'user' as const, content: 'Grüß Gott, "world" 🌍' }];
const said = 'You said: Grüß Gott, "world" 🌍';
const openaiModel = 'gpt-4o-mini';
const anthropicModel = 'claude-3-5-haiku-latest';

/** The SDKs as a customer has them, with a `fetch` that signs. */
interface Clients {
  device: TestDevice;
  openai: OpenAI;
  anthropic: Anthropic;
}

const tiers = signingTiers();
let gateway: TestGateway;
let reference: Simulator;
before(async () => {
  gateway = await startTestGateway({ tiers, counters: 'memory' });
  reference = await startSimulator();
});
after(async () => {
  await gateway.close();
  await reference.close();
});

async function stamping(): Promise<Clients> {
  const device = await gateway.device({ tier: 'signed' });
  const { proxyKey } = device;
  return {
    device,
    openai: openaiAt(gateway, proxyKey, { fetch: stampingFetch(proxyKey, 'openai') }),
    anthropic: anthropicAt(gateway, proxyKey, { fetch: stampingFetch(proxyKey, 'anthropic') }),
  };
}

/** With the code of docs/signing.md. */
async function proving(): Promise<Clients> {
  const key = newDeviceKey();
  const device = await boundDevice(gateway, key, { tier: 'bound' });
  const fetch = (await documentedFetch())(key.privateKey, key.id);
  return {
    device,
    openai: openaiAt(gateway, device.proxyKey, { fetch }),
    anthropic: anthropicAt(gateway, device.proxyKey, { fetch }),
  };
}

for (const [name, setUp] of [
  ['an HMAC of the proxy key', stamping],
  ['proof of possession, by the code of docs/signing.md', proving],
] as const) {
  describe(`the official SDKs with ${name}`, () => {
    let clients: Clients;
    let openaiPair: readonly [OpenAI, OpenAI];
    let anthropicPair: readonly [Anthropic, Anthropic];
    before(async () => {
      clients = await setUp();
      const direct = new OpenAI({ apiKey: OPENAI_KEY, baseURL: `${reference.url}/v1` });
      openaiPair = [clients.openai, direct];
      anthropicPair = [clients.anthropic, new Anthropic({ apiKey: ANTHROPIC_KEY, baseURL: reference.url })];
    });

    it('get the answers that the providers give, plain and streamed', async () => {
      const completion = await sameAsDirect(openaiPair, (client) =>
        client.chat.completions.create({ model: openaiModel, messages }),
      );
      assert.equal(completion.choices[0]?.message.content, said);
      const chunks = await sameAsDirect(openaiPair, (client) =>
        collect(client.chat.completions.create({ model: openaiModel, messages, stream: true })),
      );
      assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), said);

      const ask = { model: anthropicModel, max_tokens: 100, messages };
      const message = await sameAsDirect(anthropicPair, (client) => client.messages.create(ask));
      assert.deepEqual(message.content, [{ type: 'text', text: said }]);
      const events = await sameAsDirect(anthropicPair, (client) =>
        collect(client.messages.create({ ...ask, stream: true })),
      );
      assert.equal(events.at(-1)?.type, 'message_stop');
    });

    it('list models, with a query, and upload files', async () => {
      assert.ok((await clients.openai.models.list()).data.length > 0);
      assert.ok((await clients.anthropic.models.list({ limit: 2 })).data.length > 0);
      const file = await toFile(Buffer.alloc(200_000, 7), 'a.mp3', { type: 'audio/mpeg' });
      const { text } = await clients.openai.audio.transcriptions.create({ file, model: 'whisper-1' });
      assert.match(text, /^Received a\.mp3 \(audio\/mpeg, 200000 bytes/);
    });

    it('sign each retry anew', async () => {
      failFirst(gateway, 2, { status: 500 });
      const completion = await clients.openai.chat.completions.create({ model: openaiModel, messages });
      assert.equal(completion.choices[0]?.message.content, said);
      gateway.simulator.behave(() => undefined);
    });

    it('are served in any number at the same time', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          clients.openai.chat.completions.create({
            model: openaiModel,
            messages: [{ role: 'user', content: `${index}` }],
          }),
        ),
      );
      assert.equal(answers.length, 20);
    });

    it('raise their AuthenticationError without it, and do not try again', async () => {
      const { proxyKey } = clients.device;
      const seen = gateway.logLines().filter(({ outcome }) => outcome === 'invalid_signature').length;
      await assert.rejects(
        openaiAt(gateway, proxyKey).chat.completions.create({ model: openaiModel, messages }),
        (error) => error instanceof OpenAI.AuthenticationError && error.code === 'invalid_signature',
      );
      await assert.rejects(
        anthropicAt(gateway, proxyKey).messages.create({ model: anthropicModel, max_tokens: 9, messages }),
        (error) =>
          error instanceof Anthropic.AuthenticationError && error.message.includes('Invalid signature'),
      );
      const now = gateway.logLines().filter(({ outcome }) => outcome === 'invalid_signature').length;
      assert.equal(now - seen, 2);
    });
  });
}

it('on a tier that asks for nothing the SDKs work as they are', async () => {
  const { proxyKey } = await gateway.device({ tier: 'pro' });
  const completion = await openaiAt(gateway, proxyKey).chat.completions.create({
    model: openaiModel,
    messages,
  });
  assert.equal(completion.choices[0]?.message.content, said);
  assertOnlyRealKeysIn(gateway.simulator.requests);
});
