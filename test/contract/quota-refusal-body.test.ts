import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';

/** 90 minutes and a half second before midnight: Retry-After is rounded up. */
const NOW = '2026-04-29T22:29:59.500Z';

async function refusedBy(
  gateway: TestGateway,
  limits: { daily_limit: number; monthly_limit: number },
): Promise<JsonAnswer> {
  const { proxyKey } = await gateway.device(limits);
  const body = { model: 'text-embedding-3-small', input: 'x' };
  const envelope = { proxy_key: proxyKey, provider: 'openai', body };
  const call = (): Promise<JsonAnswer> => gateway.request('/proxy/openai/v1/embeddings', { body: envelope });
  for (let sent = 0; sent < 3; sent += 1) assert.equal((await call()).status, 200);
  return await call();
}

for (const counters of ['redis', 'memory'] as const) {
  it(`a used-up day and month are answered byte for byte as promised (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters, clock: new FakeClock(NOW) });
    t.after(() => gateway.close());

    const day = await refusedBy(gateway, { daily_limit: 3, monthly_limit: 100 });
    assert.equal(
      day.text,
      '{"error":{"message":"Daily limit of 3 requests exceeded. Current usage: 3",' +
        '"type":"rate_limit_exceeded","code":"rate_limit_exceeded"}}',
    );
    assertHeaders(day, { limit: '3', retryAfter: String(5_401) });

    const month = await refusedBy(gateway, { daily_limit: 100, monthly_limit: 3 });
    assert.equal(
      month.text,
      '{"error":{"message":"Monthly limit of 3 requests exceeded. Current usage: 3",' +
        '"type":"rate_limit_exceeded","code":"monthly_limit_exceeded"}}',
    );
    assertHeaders(month, { limit: '100', retryAfter: String(5_401 + 86_400) });
  });
}

function assertHeaders(
  { status, headers }: JsonAnswer,
  expected: { limit: string; retryAfter: string },
): void {
  assert.equal(status, 429);
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(headers.get('retry-after'), expected.retryAfter);
  assert.equal(headers.get('x-should-retry'), 'false');
  assert.equal(headers.get('x-ratelimit-limit'), expected.limit);
  assert.equal(headers.get('x-ratelimit-remaining'), '0');
  assert.equal(headers.get('x-ratelimit-reset'), '2026-04-30T00:00:00Z');
}
