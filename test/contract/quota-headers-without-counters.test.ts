import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';

const tiers = `
[tiers.patient]
name = "Patient"
daily_limit = 20
monthly_limit = 1000
max_devices = 3

[tiers.lenient]
name = "Lenient"
daily_limit = 20
monthly_limit = -1
max_devices = 3
on_counter_outage = "allow"
outage_allowance = 5

[tiers.endless]
name = "Endless"
daily_limit = -1
monthly_limit = -1
max_devices = 3
`;

it('while the counters are away each answer to a known key tells the limit and its reset, and no count', async (t) => {
  const redis = await startOwnRedis();
  t.after(() => redis.stop());
  const gateway = await startTestGateway({
    env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' },
    clock: new FakeClock('2026-04-30T12:00:00Z'),
    tiers,
  });
  t.after(() => gateway.close());
  const patient = await gateway.device({ tier: 'patient' });
  const lenient = await gateway.device({ tier: 'lenient' });
  const endless = await gateway.device({ tier: 'endless' });
  for (const { proxyKey } of [patient, lenient, endless])
    assert.equal((await chat(gateway, proxyKey)).status, 200);
  await redis.kill();

  const refused = await chat(gateway, patient.proxyKey);
  assert.equal(refused.status, 503);
  assert.deepEqual(rateLimitOf(refused), ['20', null, '2026-05-01T00:00:00Z']);
  const wrongHardware = await gateway.request('/proxy/openai/v1/chat/completions', {
    body: { proxy_key: patient.proxyKey, provider: 'openai', hardware_id: 'another', body: {} },
  });
  assert.equal(wrongHardware.status, 403);
  assert.deepEqual(rateLimitOf(wrongHardware), ['20', null, '2026-05-01T00:00:00Z']);
  const lent = await chat(gateway, lenient.proxyKey);
  assert.equal(lent.status, 200);
  assert.deepEqual(rateLimitOf(lent), ['20', null, '2026-05-01T00:00:00Z']);
  const unlimited = await chat(gateway, endless.proxyKey);
  assert.equal(unlimited.status, 503);
  assert.deepEqual(rateLimitOf(unlimited), ['-1', '-1', '2026-05-01T00:00:00Z']);
});

function rateLimitOf({ headers }: JsonAnswer): (string | null)[] {
  return ['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`));
}
