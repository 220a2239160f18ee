import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertOnlyRealKeysIn,
  inPieces,
  startSdkStage,
  STAGE_DAY,
  type SdkStage,
} from '../support/sdk-stage.ts';

/** More than any one chunk holds: what stands behind it is not there yet when the request is admitted. */
const messages = [{ role: 'user' as const, content: 'x'.repeat(300_000) }];

describe('JSON whose model comes late, through the official Anthropic SDK', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  after(() => stage.close());

  it('a body that is sent in chunks arrives whole, and is booked on its model', async () => {
    const body = JSON.stringify({ messages, max_tokens: 10, model: 'claude-late-chunked' });
    const message = await stage.anthropic.post<Anthropic.Message>('/v1/messages', {
      body: inPieces(body),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(message.model, 'claude-late-chunked');
    const received = stage.gateway.simulator.requests.at(-1);
    assert.equal(received?.headers['transfer-encoding'], 'chunked');
    assert.equal(received.body.toString(), body);
  });

  it('a body of known length whose model stands at its end is booked on its model', async () => {
    const message = await stage.anthropic.messages.create({
      messages,
      max_tokens: 10,
      model: 'claude-late-plain',
    });
    assert.equal(message.model, 'claude-late-plain');
  });

  it('each counted once, and the provider saw its real key alone', async () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    const row = { day: STAGE_DAY, provider: 'anthropic', requests: 1, refunded: 0 };
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { ...row, model: 'claude-late-chunked' },
      { ...row, model: 'claude-late-plain' },
    ]);
  });
});
