import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { outcomes, startLoad, waits } from '../support/steady-load.ts';

// quality.md B4.
it('while Redis refuses connections each request is told so at once, and never that its limit is reached', async (t) => {
  const redis = await startOwnRedis();
  t.after(() => redis.stop());
  const gateway = await startTestGateway({ env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' } });
  t.after(() => gateway.close());
  const device = await gateway.device({ daily_limit: 1 });
  await redis.kill();
  const load = startLoad([gateway], device.proxyKey, { width: 4 });
  await eventually(() => assert.ok(load.shots.length > 600), 15_000);
  // The first ones may have been under way when the connection broke.
  const shots = (await load.stop()).slice(100);
  const { longest, p99 } = waits(shots);
  t.diagnostic(`${JSON.stringify(outcomes(shots))}; p99 ${p99} ms (promised 50), longest ${longest} ms`);
  assert.deepEqual(outcomes(shots), { '503 counters_unavailable': shots.length });
  assert.ok(p99 <= 50, `p99 ${p99} ms`);
  const answer = await gateway.request('/proxy/openai/v1/models', {
    headers: { authorization: `Bearer ${device.proxyKey}` },
  });
  assert.ok(Number(answer.headers.get('retry-after')) >= 1);
});
