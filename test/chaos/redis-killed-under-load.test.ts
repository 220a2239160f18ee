import assert from 'node:assert/strict';
import { it } from 'node:test';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { outcomes, startLoad } from '../support/steady-load.ts';

// quality.md B2, B11: the append-only file is synced once a second, as Redis does by default.
it('a Redis that is killed under load loses no admission and lets none too many through', async (t) => {
  const redis = await startOwnRedis({ appendOnly: true });
  t.after(() => redis.stop());
  const one = await startTestGateway({ env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' } });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const limit = 600;
  const device = await one.device({ daily_limit: limit });
  for (let round = 1; round <= 3; round += 1) {
    const load = startLoad([one, other], device.proxyKey);
    const before = load.shots.length;
    await eventually(() => assert.ok(load.shots.length > before + 60), 10_000);
    await redis.kill();
    await eventually(() => assert.ok(load.shots.some(({ status }) => status === 503)), 10_000);
    await redis.restart();
    const back = performance.now();
    await eventually(() => {
      for (const gateway of [0, 1]) {
        const served = load.shots.some((s) => s.gateway === gateway && s.sentAt > back && s.status === 200);
        assert.ok(served, `gateway ${gateway} serves again`);
      }
    }, 10_000);
    const shots = await load.stop();
    const errors = shots.filter(({ status, sentAt }) => status === 503 && sentAt > back);
    const lastError = Math.max(0, ...errors.map(({ sentAt }) => sentAt - back));
    assert.deepEqual(
      shots.filter(({ status, code }) => status !== 200 && code !== 'counters_unavailable'),
      [],
    );
    const received = one.simulator.requests.length;
    const { afterMs } = await agreeOn(one, device.licenseId, received);
    t.diagnostic(
      `round ${round}: ${JSON.stringify(outcomes(shots))}; errors ended ${Math.round(lastError)} ms after its return ` +
        `(promised 1000); Redis = ledger = provider = ${received} after ${afterMs} ms`,
    );
    assert.ok(lastError < 1_000, `errors ended ${lastError} ms after its return`);
  }
  const left = limit - one.simulator.requests.length;
  assert.ok(left > 0, 'the limit is still to be reached');
  const load = startLoad([one, other], device.proxyKey, { restMs: 0 });
  await eventually(() => assert.ok(load.shots.some(({ status }) => status === 429)), 10_000);
  await load.stop();
  assert.equal(one.simulator.requests.length, limit, 'exactly the limit reached the provider');
});
