import assert from 'node:assert/strict';
import { it } from 'node:test';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { outcomes, startLoad, waits } from '../support/steady-load.ts';

// quality.md B6. litellm#30460: a limiter that sends a decision again after a time-out counts it twice.
for (const [what, delayMs] of [
  ['a little slow', 60],
  ['slower than anybody waits', 300],
] as const) {
  it(`a Redis that is ${what} is counted with exactly`, async (t) => {
    const redis = await startOwnRedis();
    t.after(() => redis.stop());
    const proxy = await startSlowProxy(redis.port);
    t.after(() => proxy.close());
    const gateway = await startTestGateway({ env: { REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '150' } });
    t.after(() => gateway.close());
    const device = await gateway.device({ daily_limit: 100_000 });
    proxy.delay(delayMs);
    const load = startLoad([gateway], device.proxyKey, { width: 8 });
    await eventually(() => assert.ok(load.shots.length > 150), 30_000);
    const slow = [...load.shots];
    proxy.delay(0);
    await eventually(() => assert.equal(load.shots.at(-1)?.status, 200), 10_000);
    await load.stop();
    const received = gateway.simulator.requests.length;
    const counts = await agreeOn(gateway, device.licenseId, received, 15_000);
    const { longest, p99 } = waits(slow);
    t.diagnostic(
      `answers ${delayMs} ms late: ${JSON.stringify(outcomes(slow))}; decided within p99 ${p99} ms, longest ${longest} ms; ` +
        `drift 0 (promised: at most the time-outs); at rest ${JSON.stringify(counts)}`,
    );
    if (delayMs > 150) assert.ok(slow.some(({ code }) => code === 'counters_unavailable'));
    else assert.deepEqual(outcomes(slow), { 200: slow.length });
  });
}
