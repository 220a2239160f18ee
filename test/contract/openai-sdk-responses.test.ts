import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type OpenAI from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertOnlyRealKeysIn,
  collect,
  sameAsDirect,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const request = { model: 'gpt-5', input: 'Tell me a story', instructions: 'Be brief' };

describe('the responses API through the official OpenAI SDK', () => {
  let stage: SdkStage;
  let clients: readonly [OpenAI, OpenAI];
  before(async () => {
    stage = await startSdkStage();
    clients = [stage.openai, stage.openaiDirect];
  });
  after(() => stage.close());

  it('a plain response is the one that the provider gives', async () => {
    const response = await sameAsDirect(clients, (client) => client.responses.create(request));
    assert.equal(response.status, 'completed');
    assert.equal(response.output_text, 'You said: Tell me a story');
  });

  it('a streamed response yields the same events, in order', async () => {
    const events = await sameAsDirect(clients, (client) =>
      collect(client.responses.create({ ...request, stream: true })),
    );
    assert.deepEqual(
      events.map((event) => event.sequence_number),
      events.map((_, index) => index),
    );
    assert.equal(events[0]?.type, 'response.created');
    assert.equal(events.at(-1)?.type, 'response.completed');
    const deltas = events.flatMap((event) =>
      event.type === 'response.output_text.delta' ? [event.delta] : [],
    );
    assert.equal(deltas.join(''), 'You said: Tell me a story');
  });

  it('the streaming helper assembles the final response', async () => {
    const response = await stage.openai.responses.stream(request).finalResponse();
    assert.equal(response.output_text, 'You said: Tell me a story');
  });

  it('the provider saw its real key alone, and each call was counted once', async () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { day: STAGE_DAY, provider: 'openai', model: 'gpt-5', requests: 3, refunded: 0 },
    ]);
  });
});
