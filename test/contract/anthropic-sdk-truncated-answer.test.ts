import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import { assertUsage } from '../support/recorded-usage.ts';
import { simulate, STAGE_DAY, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

const request = {
  model: 'claude-haiku-5-5',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'one two three four five six seven eight' }],
};

describe('an answer that the provider cuts short never looks complete to the Anthropic SDK', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  after(() => stage.close());

  it('a stream throws after what had come', async () => {
    const stream = await stage.anthropic.messages.create(
      { ...request, stream: true },
      simulate('die=mid-stream'),
    );
    const events: Anthropic.RawMessageStreamEvent[] = [];
    await assert.rejects(
      async () => {
        for await (const event of stream) events.push(event);
      },
      { name: 'TypeError', message: 'terminated' },
    );
    const text = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? [event.delta.text] : [],
    );
    assert.equal(text.join(''), 'You said: one two three ');
    assert.ok(events.every(({ type }) => type !== 'message_delta' && type !== 'message_stop'));
  });

  it('the streaming helper is rejected', async () => {
    const stream = stage.anthropic.messages.stream(request, simulate('die=mid-stream'));
    await assert.rejects(stream.finalMessage(), /terminated/);
  });

  it('a plain message is rejected', async () => {
    await assert.rejects(stage.anthropic.messages.create(request, simulate('die=mid-json')));
  });

  it('and each of them is used, once: nothing was tried again', async () => {
    assert.equal(stage.gateway.simulator.requests.length, 3);
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { day: STAGE_DAY, provider: 'anthropic', model: request.model, requests: 3, refunded: 0 },
    ]);
  });
});
