import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { outcomes, startLoad } from '../support/steady-load.ts';

it('a connection to Redis that breaks again and again neither loses nor repeats a count', async (t) => {
  const redis = await startOwnRedis();
  t.after(() => redis.stop());
  const proxy = await startSlowProxy(redis.port);
  t.after(() => proxy.close());
  const one = await startTestGateway({ env: { REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '150' } });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const device = await one.device({ daily_limit: 100_000 });
  const load = startLoad([one, other], device.proxyKey, { restMs: 1 });
  const random = new SeededRandom(20_261_122);
  for (let break_ = 0; break_ < 12; break_ += 1) {
    await sleep(random.int(250)); // when it breaks must not depend on what the gateway does
    if (break_ % 3 === 2) proxy.swallow(true);
    proxy.cut({ refuse: break_ % 2 === 0 });
    await sleep(random.int(120));
    proxy.swallow(false);
    proxy.accept();
  }
  const calm = performance.now();
  await eventually(() => {
    for (const gateway of [0, 1])
      assert.ok(load.shots.some((s) => s.gateway === gateway && s.sentAt > calm && s.status === 200));
  }, 10_000);
  const shots = await load.stop();
  const received = one.simulator.requests.length;
  const counts = await agreeOn(one, device.licenseId, received, 15_000);
  t.diagnostic(`${JSON.stringify(outcomes(shots))}; at rest ${JSON.stringify(counts)}`);
  assert.ok(received > 100);
});
