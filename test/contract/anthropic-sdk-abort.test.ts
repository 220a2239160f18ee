import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertUpstreamClosed,
  readSome,
  simulate,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const request = {
  model: 'claude-haiku-5-5',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hello' }],
};
const endless = simulate('chunks=1000000, chunk-delay=5');

describe('a call that is aborted through the Anthropic SDK stops the provider within 100 ms', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  beforeEach(() => stage.gateway.simulator.reset());
  after(() => stage.close());

  it('by the controller of a stream', async () => {
    const stream = await stage.anthropic.messages.create({ ...request, stream: true }, endless);
    await readSome(stream, 5);
    const abortedAt = Date.now();
    stream.controller.abort();
    await assertUpstreamClosed(stage.gateway.simulator, abortedAt);
  });

  it('by the streaming helper', async () => {
    const stream = stage.anthropic.messages.stream(request, endless);
    const done = assert.rejects(stream.done(), Anthropic.APIUserAbortError);
    await readSome(stream, 5);
    const abortedAt = Date.now();
    stream.abort();
    await assertUpstreamClosed(stage.gateway.simulator, abortedAt);
    await done;
  });

  it('by leaving the loop', async () => {
    const stream = await stage.anthropic.messages.create({ ...request, stream: true }, endless);
    const read: unknown[] = [];
    let leftAt = 0;
    for await (const item of stream) {
      read.push(item);
      leftAt = Date.now();
      if (read.length === 5) break;
    }
    await assertUpstreamClosed(stage.gateway.simulator, leftAt);
  });

  it('by a signal before the first byte, which is an APIUserAbortError', async () => {
    const leaving = new AbortController();
    const call = stage.anthropic.messages.create(request, {
      ...simulate('hang=before-headers'),
      signal: leaving.signal,
    });
    const rejected = assert.rejects(call, Anthropic.APIUserAbortError);
    await stage.gateway.simulator.waitForRequest(({ ended }) => ended);
    const abortedAt = Date.now();
    leaving.abort();
    await rejected;
    await assertUpstreamClosed(stage.gateway.simulator, abortedAt);
  });

  it('and each of them is used: the provider did the work', async () => {
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { day: STAGE_DAY, provider: 'anthropic', model: request.model, requests: 4, refunded: 0 },
    ]);
  });
});
