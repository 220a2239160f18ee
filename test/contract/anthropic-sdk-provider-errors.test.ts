import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  anthropicAt,
  assertOnlyRealKeysIn,
  failFirst,
  simulate,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const model = 'claude-haiku-5-5';
const request = { model, max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hello' }] };

describe("the provider's own failures through the Anthropic SDK", () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  beforeEach(() => stage.gateway.simulator.reset());
  after(() => stage.close());

  it('429, 500 and 529 are passed through, Retry-After too, and given back', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device({ daily_limit: 1 });
    const client = anthropicAt(stage.gateway, proxyKey, { maxRetries: 0 });
    for (const [status, type, exception] of [
      [429, 'rate_limit_error', Anthropic.RateLimitError],
      [500, 'api_error', Anthropic.InternalServerError],
      [529, 'overloaded_error', Anthropic.OverloadedError],
    ] as const) {
      const call = client.messages.create(request, simulate(`status=${status}, retry-after=7`));
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof exception);
        assert.equal(error.status, status);
        assert.equal(error.type, type);
        assert.equal(error.headers.get('retry-after'), '7');
        assert.equal(error.headers.get('x-should-retry'), 'true');
        assert.equal(error.headers.get('x-ratelimit-remaining'), '1');
        return true;
      });
    }
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'anthropic', model, requests: 0, refunded: 3 },
    ]);
  });

  for (const status of [429, 500, 529]) {
    it(`the SDK's retries after ${status} succeed within a limit of one`, async () => {
      const { licenseId, proxyKey } = await stage.gateway.device({ daily_limit: 1 });
      failFirst(stage.gateway, 2, { status, retryAfter: 0.05 });
      const message = await anthropicAt(stage.gateway, proxyKey).messages.stream(request).finalMessage();
      assert.equal(message.stop_reason, 'end_turn');
      assert.deepEqual(
        stage.gateway.simulator.requests.map(({ headers }) => headers['x-stainless-retry-count']),
        ['0', '1', '2'],
      );
      assertOnlyRealKeysIn(stage.gateway.simulator.requests);
      await assertUsage(stage.gateway, licenseId, [
        { day: STAGE_DAY, provider: 'anthropic', model, requests: 1, refunded: 2 },
      ]);
    });
  }

  it('a 529 is tried again after its Retry-After', async () => {
    failFirst(stage.gateway, 1, { status: 529, retryAfter: 1 });
    await stage.anthropic.messages.create(request);
    const [refused, served] = stage.gateway.simulator.requests;
    assert.ok(refused !== undefined && served !== undefined);
    const waited = served.receivedAt - refused.receivedAt;
    assert.ok(waited >= 990, `tried again after ${waited} ms`);
  });

  it('a 400 of the provider is its BadRequestError, and counts', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device();
    const client = anthropicAt(stage.gateway, proxyKey);
    const call = client.messages.create({ ...request, messages: undefined as never });
    await assert.rejects(call, Anthropic.BadRequestError);
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'anthropic', model, requests: 1, refunded: 0 },
    ]);
  });
});
