import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { outcomes, startLoad } from '../support/steady-load.ts';

// As in a rolling restart with another REDIS_URL: for a while some instances count in the one and some in the other.
it('instances that count in two Redis at once book every admission, and at the end count together', async (t) => {
  const [redisOfOne, redisOfOther] = [await startOwnRedis(), await startOwnRedis()];
  t.after(() => Promise.all([redisOfOne.stop(), redisOfOther.stop()]));
  const one = await startTestGateway({ env: { REDIS_URL: redisOfOne.url } });
  t.after(() => one.close());
  const device = await one.device({ daily_limit: 100_000 });
  const load = startLoad([one], device.proxyKey, { width: 4, restMs: 10 });
  await eventually(() => assert.ok(load.shots.length > 50), 10_000);
  const other = await startTestGateway({ joins: one, env: { REDIS_URL: redisOfOther.url } });
  t.after(() => other.close());
  const loadOfOther = startLoad([other], device.proxyKey, { width: 4, restMs: 10 });
  await eventually(() => assert.ok(loadOfOther.shots.length > 200), 20_000);
  const shots = [...(await load.stop()), ...(await loadOfOther.stop())];
  await one.close();
  const received = one.simulator.requests.length;
  const ledger = await eventually(async () => {
    const [row] = await other.gateway.knex('usage').where({ license_id: device.licenseId }).sum('requests');
    assert.equal(Number(row?.sum), received);
    return Number(row?.sum);
  }, 10_000);
  await eventually(async () => {
    assert.equal((await other.gateway.admission.used(device.licenseId)).today, received);
  }, 10_000);
  t.diagnostic(
    `${JSON.stringify(outcomes(shots))}; provider ${received} = ledger ${ledger} = the Redis that stays`,
  );
  assert.ok(received > 200);
});
