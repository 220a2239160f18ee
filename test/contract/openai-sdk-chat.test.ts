import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertOnlyRealKeysIn,
  collect,
  sameAsDirect,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const model = 'gpt-4o-mini';
const messages = [{ role: 'user' as const, content: 'Grüß Gott, "world" 🌍' }];

describe('chat completions through the official OpenAI SDK', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  after(() => stage.close());

  it('a plain completion is the one that the provider gives', async () => {
    const completion = await sameAsDirect([stage.openai, stage.openaiDirect], (client) =>
      client.chat.completions.create({ model, messages }),
    );
    assert.equal(completion.choices[0]?.message.content, 'You said: Grüß Gott, "world" 🌍');
  });

  it('a streamed completion yields the same chunks, its usage included', async () => {
    const chunks = await sameAsDirect([stage.openai, stage.openaiDirect], (client) =>
      collect(
        client.chat.completions.create({
          model,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    );
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    assert.equal(text, 'You said: Grüß Gott, "world" 🌍');
    assert.ok(chunks.at(-1)?.usage?.total_tokens);
  });

  it('the streaming helper assembles the final completion', async () => {
    const completion = await sameAsDirect([stage.openai, stage.openaiDirect], (client) =>
      client.chat.completions.stream({ model, messages }).finalChatCompletion(),
    );
    assert.equal(completion.choices[0]?.finish_reason, 'stop');
    assert.equal(completion.choices[0].message.content, 'You said: Grüß Gott, "world" 🌍');
  });

  it('the older text completions are served too, plain and streamed', async () => {
    const clients = [stage.openai, stage.openaiDirect] as const;
    const prompt = 'once upon a time';
    const plain = await sameAsDirect(clients, (client) => client.completions.create({ model, prompt }));
    const chunks = await sameAsDirect(clients, (client) =>
      collect(client.completions.create({ model, prompt, stream: true })),
    );
    assert.equal(plain.choices[0]?.text, `You said: ${prompt}`);
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.text).join(''), `You said: ${prompt}`);
  });

  it('the provider saw its real key alone, and each call was counted once', async () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    assert.equal(stage.gateway.simulator.requests.length, 5);
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { day: STAGE_DAY, provider: 'openai', model, requests: 5, refunded: 0 },
    ]);
  });
});
