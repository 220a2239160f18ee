import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { assertUsage, waitUntil } from '../support/recorded-usage.ts';
import { anthropicAt, STAGE_DAY, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

/** An SDK that tried again would wait for the Retry-After, which is half a day. */
const notForEver = () => ({ signal: AbortSignal.timeout(30_000) });

const request = {
  model: 'claude-haiku-5-5',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hello' }],
};

describe('a used-up quota, as the Anthropic SDK sees it', () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
  });
  after(() => stage.close());

  /** Requests of a license that reached the gateway and were answered so. */
  const arrived = (license: string, outcome: string) =>
    stage.gateway.logLines().filter((line) => line.license === license && line.outcome === outcome).length;

  for (const [limits, refusal, message] of [
    [{ daily_limit: 2 }, 'rate_limit_exceeded', 'Daily limit of 2 requests exceeded. Current usage: 2'],
    [
      { monthly_limit: 2 },
      'monthly_limit_exceeded',
      'Monthly limit of 2 requests exceeded. Current usage: 2',
    ],
  ] as const) {
    it(`${refusal} is a RateLimitError, and is not tried again`, async () => {
      const { gateway } = stage;
      const { licenseId, proxyKey } = await gateway.device(limits);
      const client = anthropicAt(gateway, proxyKey); // with its default of two retries
      await client.messages.create(request);
      await client.messages.create(request);
      const seen = gateway.simulator.requests.length;

      await assert.rejects(client.messages.create(request, notForEver()), (error) => {
        assert.ok(error instanceof Anthropic.RateLimitError);
        assert.equal(error.type, 'rate_limit_error');
        assert.deepEqual(error.error, { type: 'error', error: { type: 'rate_limit_error', message } });
        assert.equal(error.headers.get('x-should-retry'), 'false');
        assert.ok(Number(error.headers.get('retry-after')) >= 12 * 3_600);
        return true;
      });
      await waitUntil(() => assert.notEqual(arrived(licenseId, refusal), 0));
      assert.equal(arrived(licenseId, refusal), 1, 'the SDK tried again');
      assert.equal(gateway.simulator.requests.length, seen);

      await assert.rejects(
        client.messages.stream(request, notForEver()).finalMessage(),
        Anthropic.RateLimitError,
      );
      await waitUntil(() => assert.equal(arrived(licenseId, refusal), 2));
      await assertUsage(gateway, licenseId, [
        { day: STAGE_DAY, provider: 'anthropic', model: request.model, requests: 2, refunded: 0 },
      ]);
    });
  }
});
