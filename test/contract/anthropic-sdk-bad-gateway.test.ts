import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { startTestGateway } from '../support/gateway.ts';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  anthropicAt,
  assertQuotesNothingOf,
  failFirst,
  refusingUrl,
  simulate,
  STAGE_DAY,
  startSdkStage,
  textOfError,
  type SdkStage,
  stageClock,
} from '../support/sdk-stage.ts';
import { ANTHROPIC_KEY } from '../support/simulator/simulator.ts';

const model = 'claude-haiku-5-5';
const request = { model, max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('a provider that refuses our key or cannot be reached, through the Anthropic SDK', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  beforeEach(() => {
    stage.gateway.simulator.reset();
    stage.gateway.simulator.setKeys('anthropic', [ANTHROPIC_KEY]);
  });
  after(() => stage.close());

  it('our key refused is a 502 that holds no part of it, and is given back', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device();
    stage.gateway.simulator.setKeys('anthropic', ['sk-ant-rotated-away']);
    const client = anthropicAt(stage.gateway, proxyKey, { maxRetries: 0 });
    for (const stream of [false, true]) {
      await assert.rejects(client.messages.create({ ...request, stream }), (error) => {
        assert.ok(error instanceof Anthropic.InternalServerError);
        assert.equal(error.status, 502);
        assert.equal(error.type, 'api_error');
        assert.match(error.message, /Anthropic refused the API key of this service/);
        assertQuotesNothingOf(ANTHROPIC_KEY, textOfError(error));
        return true;
      });
    }
    assert.equal(stage.gateway.simulator.requests.length, 2);
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'anthropic', model, requests: 0, refunded: 2 },
    ]);
  });

  it('a connection that is refused, or reset before the headers, is a 502 and given back', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device();
    const env = { ANTHROPIC_BASE_URL: await refusingUrl() };
    const alone = await startTestGateway({ joins: stage.gateway, env, clock: stageClock() });
    try {
      for (const gateway of [alone, stage.gateway]) {
        const client = anthropicAt(gateway, proxyKey, { maxRetries: 0 });
        const call = client.messages.create(request, simulate('die=before-headers'));
        await assert.rejects(call, (error) => {
          assert.ok(error instanceof Anthropic.InternalServerError);
          assert.equal(error.status, 502);
          assert.match(error.message, /Anthropic cannot be reached at the moment/);
          assert.doesNotMatch(textOfError(error), /127\.0\.0\.1|ECONN|socket/);
          return true;
        });
      }
    } finally {
      await alone.close();
    }
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'anthropic', model, requests: 0, refunded: 2 },
    ]);
  });

  it('the SDK tries such a 502 again, and once the provider is back it is served', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device({ daily_limit: 1 });
    failFirst(stage.gateway, 1, { die: 'before-headers' });
    const message = await anthropicAt(stage.gateway, proxyKey).messages.create(request);
    assert.equal(message.stop_reason, 'end_turn');
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'anthropic', model, requests: 1, refunded: 1 },
    ]);
  });
});
