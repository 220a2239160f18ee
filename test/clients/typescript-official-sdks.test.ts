import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { after, before, describe, it } from 'node:test';
import { CHAT, ClientDevice } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { assertOnlyRealKeysIn } from '../support/sdk-stage.ts';

const openaiChat = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hello' }] };
const anthropicChat = { ...openaiChat, model: 'claude-3-5-haiku-latest', max_tokens: 100 };

describe('the official SDKs with openai() and anthropic()', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', env: { PROXY_KEY_GRACE_SECONDS: '0' } });
  });
  after(() => gateway.close());

  it('are set up in one call each, plain and streamed, and say what is left', async () => {
    using device = new ClientDevice(gateway);
    const client = device.start({
      licenseKey: (await gateway.createLicense({ daily_limit: 10 })).licenseKey,
    });
    const openai = new OpenAI(await client.openai());
    const anthropic = new Anthropic(await client.anthropic());
    const completion = await openai.chat.completions.create(openaiChat);
    assert.equal(completion.choices[0]?.message.content, 'You said: Hello');
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ ...openaiChat, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    assert.equal(text, 'You said: Hello');
    const message = await anthropic.messages.create(anthropicChat);
    assert.ok(message.content[0]?.type === 'text');
    assert.equal(message.content[0].text, 'You said: Hello');
    assert.equal(await anthropic.messages.stream(anthropicChat).finalText(), 'You said: Hello');
    assert.equal(client.quota?.remaining, 6);
    assertOnlyRealKeysIn(gateway.simulator.requests);
  });

  it('go on after a rotation: the refused key is renewed, uploads included', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense();
    const client = device.start({ licenseKey });
    const options = { maxRetries: 0 };
    const openai = new OpenAI({ ...(await client.openai()), ...options });
    const anthropic = new Anthropic({ ...(await client.anthropic()), ...options });
    const file = await toFile(Buffer.from('RIFF....WAVE'), 'speech.wav');
    const calls = [
      () => openai.chat.completions.create(openaiChat),
      () => anthropic.messages.create(anthropicChat),
      () => openai.audio.transcriptions.create({ file, model: 'whisper-1' }),
      () => openai.models.list(),
    ];
    for (const call of calls) {
      await gateway.activate(licenseKey, 'hw-client');
      await call();
    }
  });

  it('raise their own typed exceptions', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense({ daily_limit: 1 });
    const client = device.start({ licenseKey });
    const openai = new OpenAI(await client.openai());
    await openai.chat.completions.create(openaiChat);
    await assert.rejects(openai.chat.completions.create(openaiChat), OpenAI.RateLimitError);
    await gateway.admin(`/licenses/${id}/suspend`, { method: 'POST' });
    await assert.rejects(openai.chat.completions.create(openaiChat), OpenAI.PermissionDeniedError);
  });

  it("the key goes to the gateway's proxy and nowhere else", async () => {
    using device = new ClientDevice(gateway);
    const client = device.start({ licenseKey: (await gateway.createLicense()).licenseKey });
    const answer = await client.fetch(`${gateway.simulator.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(CHAT),
    });
    await answer.text();
    assert.equal(gateway.simulator.requests.at(-1)?.headers.authorization, undefined);
  });
});
