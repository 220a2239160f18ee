import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import { startTestGateway } from '../support/gateway.ts';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertQuotesNothingOf,
  failFirst,
  openaiAt,
  refusingUrl,
  simulate,
  STAGE_DAY,
  startSdkStage,
  textOfError,
  type SdkStage,
  stageClock,
} from '../support/sdk-stage.ts';
import { OPENAI_KEY } from '../support/simulator/simulator.ts';

const model = 'gpt-4o-mini';
const request = { model, messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('a provider that refuses our key or cannot be reached, through the OpenAI SDK', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  beforeEach(() => {
    stage.gateway.simulator.reset();
    stage.gateway.simulator.setKeys('openai', [OPENAI_KEY]);
  });
  after(() => stage.close());

  it('our key refused is a 502 that holds no part of it, and is given back', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device();
    stage.gateway.simulator.setKeys('openai', ['sk-rotated-away']);
    const client = openaiAt(stage.gateway, proxyKey, { maxRetries: 0 });
    for (const stream of [false, true]) {
      await assert.rejects(client.chat.completions.create({ ...request, stream }), (error) => {
        assert.ok(error instanceof OpenAI.InternalServerError);
        assert.equal(error.status, 502);
        assert.equal(error.code, 'provider_auth_failed');
        assertQuotesNothingOf(OPENAI_KEY, textOfError(error));
        return true;
      });
    }
    assert.equal(stage.gateway.simulator.requests.length, 2);
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'openai', model, requests: 0, refunded: 2 },
    ]);
  });

  it('a connection that is refused, or reset before the headers, is a 502 and given back', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device();
    const env = { OPENAI_BASE_URL: await refusingUrl() };
    const alone = await startTestGateway({ joins: stage.gateway, env, clock: stageClock() });
    try {
      for (const gateway of [alone, stage.gateway]) {
        const client = openaiAt(gateway, proxyKey, { maxRetries: 0 });
        const call = client.chat.completions.create(request, simulate('die=before-headers'));
        await assert.rejects(call, (error) => {
          assert.ok(error instanceof OpenAI.InternalServerError);
          assert.equal(error.status, 502);
          assert.equal(error.code, 'upstream_unreachable');
          assert.doesNotMatch(textOfError(error), /127\.0\.0\.1|ECONN|socket/);
          return true;
        });
      }
    } finally {
      await alone.close();
    }
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'openai', model, requests: 0, refunded: 2 },
    ]);
  });

  it('the SDK tries such a 502 again, and once the provider is back it is served', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device({ daily_limit: 1 });
    failFirst(stage.gateway, 1, { die: 'before-headers' });
    const completion = await openaiAt(stage.gateway, proxyKey).chat.completions.create(request);
    assert.equal(completion.choices[0]?.message.content, 'You said: Hello');
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'openai', model, requests: 1, refunded: 1 },
    ]);
  });
});
