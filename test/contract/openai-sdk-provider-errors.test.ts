import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertOnlyRealKeysIn,
  collect,
  failFirst,
  openaiAt,
  simulate,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const model = 'gpt-4o-mini';
const request = { model, messages: [{ role: 'user' as const, content: 'Hello' }] };

describe("the provider's own failures through the OpenAI SDK", () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  beforeEach(() => stage.gateway.simulator.reset());
  after(() => stage.close());

  it('429 and 500 are passed through, unchanged save what concerns our account, and given back', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device({ daily_limit: 1 });
    const client = openaiAt(stage.gateway, proxyKey, { maxRetries: 0 });
    const fail = (status: number) =>
      client.chat.completions.create(request, simulate(`status=${status}, retry-after=7`));
    await assert.rejects(fail(429), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.match(error.message, /^429 Rate limit reached for gpt-4o-mini/);
      assert.equal(error.headers.get('retry-after'), '7');
      assert.equal(error.headers.get('x-should-retry'), null);
      assert.equal(error.headers.get('x-ratelimit-remaining'), '1');
      return true;
    });
    await assert.rejects(fail(500), (error) => {
      assert.ok(error instanceof OpenAI.InternalServerError);
      assert.match(error.message, /^500 The server had an error/);
      assert.equal(error.headers.get('retry-after'), '7');
      return true;
    });
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'openai', model, requests: 0, refunded: 2 },
    ]);
  });

  it("the SDK's retries succeed within a limit of one, since each failure is given back first", async () => {
    const { licenseId, proxyKey } = await stage.gateway.device({ daily_limit: 1 });
    failFirst(stage.gateway, 2, { status: 500, retryAfter: 0.05 });
    const { data, response } = await openaiAt(stage.gateway, proxyKey)
      .chat.completions.create(request)
      .withResponse();
    assert.equal(data.choices[0]?.message.content, 'You said: Hello');
    assert.equal(response.headers.get('x-ratelimit-remaining'), '0');
    assert.deepEqual(
      stage.gateway.simulator.requests.map(({ headers }) => headers['x-stainless-retry-count']),
      ['0', '1', '2'],
    );
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'openai', model, requests: 1, refunded: 2 },
    ]);
  });

  it("a 429 of the provider's is tried again after its Retry-After", async () => {
    failFirst(stage.gateway, 1, { status: 429, retryAfter: 1 });
    await collect(stage.openai.chat.completions.create({ ...request, stream: true }));
    const [refused, served] = stage.gateway.simulator.requests;
    assert.ok(refused?.closedAt !== undefined && served !== undefined);
    const waited = served.receivedAt - refused.receivedAt;
    assert.ok(waited >= 990, `tried again after ${waited} ms`);
  });

  it('a 400 of the provider is its BadRequestError, and counts', async () => {
    const { licenseId, proxyKey } = await stage.gateway.device();
    const client = openaiAt(stage.gateway, proxyKey);
    await assert.rejects(client.chat.completions.create({ model, messages: undefined as never }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.equal(error.code, 'missing_required_parameter');
      return true;
    });
    await assertUsage(stage.gateway, licenseId, [
      { day: STAGE_DAY, provider: 'openai', model, requests: 1, refunded: 0 },
    ]);
  });
});
