import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertOnlyRealKeysIn,
  collect,
  sameAsDirect,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const model = 'claude-sonnet-5-5';
const request = {
  model,
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Grüß Gott, "world" 🌍' }],
};

describe('messages through the official Anthropic SDK', () => {
  let stage: SdkStage;
  let clients: readonly [Anthropic, Anthropic];
  before(async () => {
    stage = await startSdkStage();
    clients = [stage.anthropic, stage.anthropicDirect];
  });
  after(() => stage.close());

  it('a plain message is the one that the provider gives', async () => {
    const message = await sameAsDirect(clients, (client) => client.messages.create(request));
    assert.deepEqual(message.content, [{ type: 'text', text: 'You said: Grüß Gott, "world" 🌍' }]);
    assert.equal(message.stop_reason, 'end_turn');
  });

  it('a streamed message yields the same events', async () => {
    const events = await sameAsDirect(clients, (client) =>
      collect(client.messages.create({ ...request, stream: true })),
    );
    assert.equal(events[0]?.type, 'message_start');
    assert.equal(events.at(-1)?.type, 'message_stop');
    const deltas = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? [event.delta.text] : [],
    );
    assert.equal(deltas.join(''), 'You said: Grüß Gott, "world" 🌍');
  });

  it('the streaming helper assembles the final message', async () => {
    const message = await sameAsDirect(clients, (client) => client.messages.stream(request).finalMessage());
    assert.equal(message.stop_reason, 'end_turn');
    assert.ok(message.usage.output_tokens > 1);
  });

  it('tokens are counted by the provider', async () => {
    const { model: counted, messages } = request;
    const { input_tokens: tokens } = await sameAsDirect(clients, (client) =>
      client.messages.countTokens({ model: counted, messages }),
    );
    assert.ok(tokens > 1);
  });

  it('the beta namespace is served, with its headers', async () => {
    const message = await stage.anthropic.beta.messages.create({ ...request, betas: ['a-beta-2026-01-01'] });
    assert.equal(message.content[0]?.type, 'text');
    const received = stage.gateway.simulator.requests.at(-1);
    assert.match(String(received?.headers['anthropic-beta']), /a-beta-2026-01-01/);
  });

  it('a query is passed on', async () => {
    await stage.anthropic.models.list({ limit: 2, after_id: 'claude opus/5' });
    const received = stage.gateway.simulator.requests.at(-1);
    assert.equal(received?.url, '/v1/models?limit=2&after_id=claude%20opus%2F5');
  });

  it('models: listed, one of them, and one that there is not', async () => {
    const models = await sameAsDirect(clients, (client) => collect(client.models.list()));
    assert.ok(models.length >= 3);
    const found = await sameAsDirect(clients, (client) => client.models.retrieve(model));
    assert.equal(found.id, model);
    await assert.rejects(stage.anthropic.models.retrieve('no-such-model'), Anthropic.NotFoundError);
  });

  it('the provider saw its real key alone, and each call was counted once', async () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    const row = { day: STAGE_DAY, provider: 'anthropic', refunded: 0 };
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { ...row, model: '', requests: 4 },
      { ...row, model, requests: 5 },
    ]);
  });
});
