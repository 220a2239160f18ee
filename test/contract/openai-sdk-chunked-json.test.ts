import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type OpenAI from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertOnlyRealKeysIn,
  inPieces,
  startSdkStage,
  STAGE_DAY,
  type SdkStage,
} from '../support/sdk-stage.ts';

/** More than any one chunk holds: what stands behind it is not there yet when the request is admitted. */
const content = 'x'.repeat(300_000);
const messages = [{ role: 'user', content }];

describe('JSON whose model comes late, through the official OpenAI SDK', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  after(() => stage.close());

  it('a body that is sent in chunks arrives whole, and is booked on its model', async () => {
    const body = JSON.stringify({ messages, model: 'gpt-late-chunked' });
    const completion = await stage.openai.post<OpenAI.ChatCompletion>('/chat/completions', {
      body: inPieces(body),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(completion.model, 'gpt-late-chunked');
    const received = stage.gateway.simulator.requests.at(-1);
    assert.equal(received?.headers['transfer-encoding'], 'chunked');
    assert.equal(received.body.toString(), body);
  });

  it('a body of known length whose model stands at its end is booked on its model', async () => {
    const completion = await stage.openai.chat.completions.create({
      messages: [{ role: 'user', content }],
      model: 'gpt-late-plain',
    });
    assert.equal(completion.model, 'gpt-late-plain');
  });

  it('each counted once, and the provider saw its real key alone', async () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    const row = { day: STAGE_DAY, provider: 'openai', requests: 1, refunded: 0 };
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { ...row, model: 'gpt-late-chunked' },
      { ...row, model: 'gpt-late-plain' },
    ]);
  });
});
