import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertAbortClosesUpstream,
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
  after(() => stage.close());

  it('by the controller of a stream', async () => {
    await assertAbortClosesUpstream(stage.gateway.simulator, async () => {
      const stream = await stage.openai.chat.completions.create({ ...request, stream: true }, endless);
      await readSome(stream, 5);
      const abortedAt = Date.now();
      stream.controller.abort();
      return abortedAt;
    });
  });

  it('by leaving the loop', async () => {
    await assertAbortClosesUpstream(stage.gateway.simulator, async () => {
      const stream = await stage.openai.chat.completions.create({ ...request, stream: true }, endless);
      const read: unknown[] = [];
      let leftAt = 0;
      for await (const item of stream) {
        read.push(item);
        leftAt = Date.now();
        if (read.length === 5) break;
      }
      return leftAt;
    });
  });

  it('by a signal, in the responses API', async () => {
    await assertAbortClosesUpstream(stage.gateway.simulator, async () => {
      const leaving = new AbortController();
      const stream = await stage.openai.responses.create(
        { model: request.model, input: 'Hello', stream: true },
        { ...endless, signal: leaving.signal },
      );
      await readSome(stream, 5);
      const abortedAt = Date.now();
      leaving.abort();
      return abortedAt;
    });
  });

  it('by a signal before the first byte, which is an APIUserAbortError', async () => {
    await assertAbortClosesUpstream(stage.gateway.simulator, async () => {
      const leaving = new AbortController();
      const call = stage.openai.chat.completions.create(request, {
        ...simulate('hang=before-headers'),
        signal: leaving.signal,
      });
      const rejected = assert.rejects(call, OpenAI.APIUserAbortError);
      await stage.gateway.simulator.waitForRequest(
        (request) => request.ended && request.closedAt === undefined,
      );
      const abortedAt = Date.now();
      leaving.abort();
      await rejected;
      return abortedAt;
    });
  });

  it('and each of them is used: the provider did the work', async () => {
    const { length: requests } = stage.gateway.simulator.requests;
    assert.ok(requests >= 4);
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { day: STAGE_DAY, provider: 'openai', model: request.model, requests, refunded: 0 },
    ]);
  });
});
