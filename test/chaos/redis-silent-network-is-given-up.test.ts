import assert from 'node:assert/strict';
import { it } from 'node:test';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { seriesIn, sumOf } from '../support/monitoring/series.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { outcomes, startLoad, waits } from '../support/steady-load.ts';

it('connections that a firewall has forgotten are replaced without a restart', async (t) => {
  const redis = await startOwnRedis();
  t.after(() => redis.stop());
  const proxy = await startSlowProxy(redis.port);
  t.after(() => proxy.close());
  const gateway = await startTestGateway({ env: { REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '150' } });
  t.after(() => gateway.close());
  const device = await gateway.device({ daily_limit: 100_000 });
  const load = startLoad([gateway], device.proxyKey);
  await eventually(() => assert.ok(load.shots.length > 50), 10_000);
  // Old connections stay silent for good; new ones would do.
  proxy.forget();
  const silent = performance.now();
  const again = await eventually(() => {
    const shot = load.shots.find(({ sentAt, status }) => sentAt > silent + 200 && status === 200);
    assert.ok(shot);
    return shot;
  }, 20_000);
  const lines = gateway.logLines().map((line) => JSON.stringify(line));
  assert.ok(lines.some((line) => line.includes('the connection is given up')));
  const errors = sumOf(seriesIn(await gateway.metrics()), 'licensify_store_errors_total', {
    store: 'redis',
    kind: 'connection',
  });
  assert.ok((errors ?? 0) > 0, 'connections that were given up count as failed');
  const shots = (await load.stop()).filter(({ sentAt }) => sentAt > silent);
  const received = gateway.simulator.requests.length;
  const counts = await agreeOn(gateway, device.licenseId, received, 15_000);
  t.diagnostic(
    `served again after ${Math.round(again.sentAt - silent)} ms; ${JSON.stringify(outcomes(shots))}; ` +
      `longest decision ${waits(shots).longest} ms; at rest ${JSON.stringify(counts)}`,
  );
});
