import assert from 'node:assert/strict';
import { it } from 'node:test';
import { agreeOn } from '../support/at-rest.ts';
import { burst, statuses, type BurstCall } from '../support/burst.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { startOwnRedisCluster } from '../support/servers/own-redis-cluster.ts';
import { outcomes, startLoad } from '../support/steady-load.ts';

it('on a Redis Cluster limits are exact, the ledger agrees, streams are cut, and a failover forgets nothing', async (t) => {
  const cluster = await startOwnRedisCluster();
  t.after(() => cluster.stop());
  const one = await startTestGateway({ env: { REDIS_URL: cluster.url } });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  assert.match(one.gateway.stores.counters, /^Redis Cluster at /);

  // Twelve licenses lie in several slots, of all nodes.
  const devices = await Promise.all(Array.from({ length: 12 }, () => one.device({ daily_limit: 25 })));
  const calls: BurstCall[] = devices.flatMap(({ proxyKey }) =>
    Array.from({ length: 60 }, (_, turn) => ({ gateway: turn % 2 === 0 ? one : other, proxyKey })),
  );
  assert.deepEqual(statuses(await burst(calls)), { 200: 12 * 25, 429: 12 * 35 });
  for (const { licenseId } of devices) await agreeOn(other, licenseId, 25);

  const streaming = await one.device();
  const stream = await openStream(other, streaming);
  const revokedAt = performance.now();
  await one.admin(`/licenses/${streaming.licenseId}/revoke`, { method: 'POST' });
  const cutAfter = (await stream.over).at - revokedAt;
  assert.ok(cutAfter < 1_000, `cut after ${cutAfter} ms`);

  // Loads on several licenses, so that one of them lies on the node that dies.
  const loaded = await Promise.all(Array.from({ length: 6 }, () => one.device({ daily_limit: 100_000 })));
  const before = one.simulator.requests.length;
  const loads = loaded.map(({ proxyKey }) => startLoad([one, other], proxyKey, { width: 2, restMs: 10 }));
  await eventually(() => assert.ok(loads.every(({ shots }) => shots.length > 20)), 20_000);
  await cluster.masters[0]?.kill();
  const killedAt = performance.now();
  const isServed = (at: number): void => {
    for (const { shots } of loads) assert.ok(shots.some((s) => s.sentAt > at && s.status === 200));
  };
  await eventually(() => assert.ok(loads.some(({ shots }) => shots.some((s) => s.status === 503))), 10_000);
  const errors = (): number =>
    Math.max(0, ...loads.flatMap(({ shots }) => shots.filter((s) => s.status !== 200).map((s) => s.sentAt)));
  await eventually(() => isServed(Math.max(killedAt, errors())), 30_000);
  const shots = (await Promise.all(loads.map((load) => load.stop()))).flat();
  const received = one.simulator.requests.length - before;
  let counted = 0;
  for (const { licenseId } of loaded) {
    const { today } = await one.gateway.admission.used(licenseId);
    await agreeOn(one, licenseId, today, 15_000);
    counted += today;
  }
  t.diagnostic(
    `cut after ${Math.round(cutAfter)} ms (promised 1000); failover: errors for ${Math.round(errors() - killedAt)} ms ` +
      `(the cluster's own time-out is 1000); ${JSON.stringify(outcomes(shots))}; ` +
      `provider ${received}, Redis = ledger = ${counted}`,
  );
  assert.equal(counted, received);
});
