import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertUpstreamClosed,
  readSome,
  simulate,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const request = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'Hello' }] };
const endless = simulate('chunks=1000000, chunk-delay=5');

describe('a call that is aborted through the OpenAI SDK stops the provider within 100 ms', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  beforeEach(() => stage.gateway.simulator.reset());
  after(() => stage.close());

  it('by the controller of a stream', async () => {
    const stream = await stage.openai.chat.completions.create({ ...request, stream: true }, endless);
    await readSome(stream, 5);
    const abortedAt = Date.now();
    stream.controller.abort();
    await assertUpstreamClosed(stage.gateway.simulator, abortedAt);
  });

  it('by leaving the loop', async () => {
    const stream = await stage.openai.chat.completions.create({ ...request, stream: true }, endless);
    const read: unknown[] = [];
    let leftAt = 0;
    for await (const item of stream) {
      read.push(item);
      leftAt = Date.now();
      if (read.length === 5) break;
    }
    await assertUpstreamClosed(stage.gateway.simulator, leftAt);
  });

  it('by a signal, in the responses API', async () => {
    const leaving = new AbortController();
    const stream = await stage.openai.responses.create(
      { model: request.model, input: 'Hello', stream: true },
      { ...endless, signal: leaving.signal },
    );
    await readSome(stream, 5);
    const abortedAt = Date.now();
    leaving.abort();
    await assertUpstreamClosed(stage.gateway.simulator, abortedAt);
  });

  it('by a signal before the first byte, which is an APIUserAbortError', async () => {
    const leaving = new AbortController();
    const call = stage.openai.chat.completions.create(request, {
      ...simulate('hang=before-headers'),
      signal: leaving.signal,
    });
    const rejected = assert.rejects(call, OpenAI.APIUserAbortError);
    await stage.gateway.simulator.waitForRequest(({ ended }) => ended);
    const abortedAt = Date.now();
    leaving.abort();
    await rejected;
    await assertUpstreamClosed(stage.gateway.simulator, abortedAt);
  });

  it('and each of them is used: the provider did the work', async () => {
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { day: STAGE_DAY, provider: 'openai', model: request.model, requests: 4, refunded: 0 },
    ]);
  });
});
