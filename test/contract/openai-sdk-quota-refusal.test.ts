import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { assertUsage, waitUntil } from '../support/recorded-usage.ts';
import { openaiAt, STAGE_DAY, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

const request = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('a used-up quota, as the OpenAI SDK sees it', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  after(() => stage.close());

  /** Requests of a license that reached the gateway and were answered so. */
  const arrived = (license: string, outcome: string) =>
    stage.gateway.logLines().filter((line) => line.license === license && line.outcome === outcome).length;

  for (const [period, limits, refusal] of [
    [
      'daily',
      { daily_limit: 2 },
      { code: 'rate_limit_exceeded', message: '429 Daily limit of 2 requests exceeded. Current usage: 2' },
    ],
    [
      'monthly',
      { monthly_limit: 2 },
      {
        code: 'monthly_limit_exceeded',
        message: '429 Monthly limit of 2 requests exceeded. Current usage: 2',
      },
    ],
  ] as const) {
    it(`beyond the ${period} limit is a RateLimitError, and is not tried again`, async () => {
      const { gateway } = stage;
      const { licenseId, proxyKey } = await gateway.device(limits);
      const client = openaiAt(gateway, proxyKey); // with its default of two retries
      await client.chat.completions.create(request);
      await client.chat.completions.create(request);
      const seen = gateway.simulator.requests.length;

      await assert.rejects(client.chat.completions.create(request), (error) => {
        assert.ok(error instanceof OpenAI.RateLimitError);
        assert.deepEqual({ code: error.code, message: error.message }, refusal);
        assert.equal(error.type, 'rate_limit_exceeded');
        assert.equal(error.headers.get('x-should-retry'), 'false');
        assert.equal(error.headers.get('x-ratelimit-remaining'), '0');
        return true;
      });
      await waitUntil(() => assert.notEqual(arrived(licenseId, refusal.code), 0));
      assert.equal(arrived(licenseId, refusal.code), 1, 'the SDK tried again');
      assert.equal(gateway.simulator.requests.length, seen);

      await assert.rejects(
        client.chat.completions.create({ ...request, stream: true }),
        OpenAI.RateLimitError,
      );
      await waitUntil(() => assert.equal(arrived(licenseId, refusal.code), 2));
      await assertUsage(gateway, licenseId, [
        { day: STAGE_DAY, provider: 'openai', model: request.model, requests: 2, refunded: 0 },
      ]);
    });
  }

  it('Retry-After tells when the day or the month ends', async () => {
    const { gateway } = stage;
    const retryAfter = async (limits: { daily_limit?: number; monthly_limit?: number }) => {
      const { proxyKey } = await gateway.device(limits);
      const error: unknown = await openaiAt(gateway, proxyKey)
        .chat.completions.create(request)
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof OpenAI.RateLimitError);
      return Number(error.headers.get('retry-after'));
    };
    assert.equal(await retryAfter({ daily_limit: 0 }), 12 * 3_600);
    assert.equal(await retryAfter({ monthly_limit: 0 }), (8 * 24 + 12) * 3_600);
  });
});
