import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type OpenAI from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import { collect, simulate, STAGE_DAY, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

const request = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content: 'one two three four five six seven eight' }],
};

describe('an answer that the provider cuts short never looks complete to the OpenAI SDK', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  after(() => stage.close());

  it('a stream throws after what had come', async () => {
    const stream = await stage.openai.chat.completions.create(
      { ...request, stream: true },
      simulate('die=mid-stream'),
    );
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    await assert.rejects(
      async () => {
        for await (const chunk of stream) chunks.push(chunk);
      },
      { name: 'TypeError', message: 'terminated' },
    );
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    assert.equal(text, 'You said: one two three ');
    assert.ok(chunks.every((chunk) => chunk.choices[0]?.finish_reason === null));
  });

  it('a stream that ends after its headers throws', async () => {
    const stream = await stage.openai.chat.completions.create(
      { ...request, stream: true },
      simulate('die=after-headers'),
    );
    await assert.rejects(collect(stream), TypeError);
  });

  it('a plain completion is rejected', async () => {
    await assert.rejects(stage.openai.chat.completions.create(request, simulate('die=mid-json')));
  });

  it('and each of them is used, once: nothing was tried again', async () => {
    assert.equal(stage.gateway.simulator.requests.length, 3);
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { day: STAGE_DAY, provider: 'openai', model: request.model, requests: 3, refunded: 0 },
    ]);
  });
});
