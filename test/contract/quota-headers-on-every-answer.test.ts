import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestDevice, type TestGateway } from '../support/gateway.ts';

/** What the simulator is told, the status that the client gets, and whether the request is charged. */
const providersAnswers: [simulate: string, status: number, charged: boolean][] = [
  ['', 200, true],
  ['status=400', 400, true],
  ['status=404', 404, true],
  ['status=429', 429, false],
  ['status=500', 500, false],
  ['status=529', 529, false],
  ['status=401', 502, false],
  ['die=before-headers', 502, false],
  ['hang=before-headers', 504, true],
];

for (const counters of ['redis', 'memory'] as const) {
  describe(`X-RateLimit headers, counters in ${counters}`, () => {
    const clock = new FakeClock('2026-04-29T12:00:00Z');
    let gateway: TestGateway;
    before(async () => {
      const env = { UPSTREAM_TIMEOUT_MS: '300', ANTHROPIC_API_KEY: undefined };
      gateway = await startTestGateway({ counters, clock, env });
    });
    after(() => gateway.close());

    const call = ({ proxyKey }: TestDevice, simulate = '', more: object = {}): Promise<JsonAnswer> => {
      const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };
      const envelope = { proxy_key: proxyKey, provider: 'openai', body, ...more };
      const headers: Record<string, string> = simulate === '' ? {} : { 'x-simulate': simulate };
      return gateway.request('/proxy/openai/v1/chat/completions', { headers, body: envelope });
    };

    it('are on what the provider answers, and tell what is left after it', async () => {
      const device = await gateway.device({ daily_limit: 100, monthly_limit: 1_000 });
      let left = 100;
      for (const [simulate, status, charged] of providersAnswers) {
        const answer = await call(device, simulate);
        assert.equal(answer.status, status, simulate);
        if (charged) left -= 1;
        assertRateLimit(answer, ['100', String(left)], simulate);
      }
    });

    it('are on a stream, and on drop-in answers', async () => {
      const device = await gateway.device({ daily_limit: 10, monthly_limit: 4 });
      const answer = await call(device, '', { body: { model: 'gpt-4o', stream: true, messages: [] } });
      assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
      assertRateLimit(answer, ['10', '3'], 'the month leaves less than the day');
      const headers = { authorization: `Bearer ${device.proxyKey}` };
      assertRateLimit(await gateway.request('/proxy/openai/v1/models', { headers }), ['10', '2'], 'models');
    });

    it('are on refusals of a known key, which cost nothing', async () => {
      const device = await gateway.device({ daily_limit: 10, monthly_limit: 100 });
      assert.equal((await call(device)).status, 200);
      const wrongHardware = await call(device, '', { hardware_id: 'hw-other' });
      assert.equal(wrongHardware.status, 403);
      assertRateLimit(wrongHardware, ['10', '9'], 'wrong hardware');

      const notConfigured = await gateway.request('/proxy/anthropic/v1/messages', {
        headers: { 'x-api-key': device.proxyKey },
        body: { model: 'claude-3-haiku-20240307', max_tokens: 10, messages: [] },
      });
      assert.equal(notConfigured.status, 503);
      assertRateLimit(notConfigured, ['10', '9'], 'provider not configured');

      await gateway.admin(`/licenses/${device.licenseId}/suspend`, { method: 'POST' });
      const suspended = await call(device);
      assert.equal(suspended.status, 403);
      assertRateLimit(suspended, ['10', '9'], 'suspended');
    });

    it('are on refusals of an expired license and of a used-up one', async () => {
      const expiring = await gateway.device({ daily_limit: 10, expires_at: '2026-04-29T13:00:00Z' });
      const usedUp = await gateway.device({ daily_limit: 1 });
      await call(usedUp);
      const refused = await call(usedUp);
      assert.equal(refused.status, 429);
      assertRateLimit(refused, ['1', '0'], 'used up');
      clock.set('2026-04-29T13:00:00Z');
      const expired = await call(expiring);
      assert.equal(expired.status, 403);
      assertRateLimit(expired, ['10', '10'], 'expired');
    });

    it('say -1 where nothing limits, and count what does where one window is unlimited', async () => {
      const enterprise = await gateway.device({ tier: 'enterprise' });
      assertRateLimit(await call(enterprise), ['-1', '-1'], 'unlimited');
      const monthly = await gateway.device({ daily_limit: -1, monthly_limit: 7 });
      assertRateLimit(await call(monthly), ['-1', '6'], 'only the month is limited');
      const daily = await gateway.device({ daily_limit: 7, monthly_limit: -1 });
      assertRateLimit(await call(daily), ['7', '6'], 'only the day is limited');
    });
  });
}

function assertRateLimit(
  { headers }: JsonAnswer,
  [limit, remaining]: [limit: string, remaining: string],
  what: string,
): void {
  const names = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];
  const values = names.map((name) => headers.get(name));
  assert.deepEqual(values, [limit, remaining, '2026-04-30T00:00:00Z'], what);
}
