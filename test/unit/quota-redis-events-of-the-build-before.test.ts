import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { openRedisWorld } from '../support/redis-world.ts';

const limits = { daily: 100, monthly: 100 };

it('events of the build before are counted with, and folded, while instances of both run', async (t) => {
  const world = await openRedisWorld(new FakeClock('2026-03-10T12:00:00Z'));
  t.after(() => world.close());
  const [admission] = world.admissions;
  assert.ok(admission);
  const call = { licenseId: 'lic_rolling', deviceId: 7, provider: 'openai', model: 'gpt-4o' };
  const first = await admission.admit(call, limits);
  assert.ok(first.outcome === 'admitted' && first.used);
  const [stream = '', ...others] = await world.redis.keys(`${world.prefix}:*:usage`);
  assert.deepEqual(others, []);
  const { licenseId, deviceId, provider, model } = call;
  const parts = ['l', licenseId, 'd', deviceId, 'p', provider, 'm', model];
  await world.redis.xadd(stream, '*', ...parts, 'y', first.used.day, 'n', 5, 'r', 2, 't', 'of-another');

  assert.ok((await world.deleteKeys(/:[dm]:/)) > 0);
  const seeded = await admission.admit(call, limits);
  assert.equal(seeded.outcome === 'admitted' && seeded.used?.today, 7);

  await world.loseCounters();
  const rows = await world.knex('usage').select('device_id', 'provider', 'model', 'requests', 'refunded');
  const numbers = rows.map((row: Record<string, unknown>) => ({
    ...row,
    requests: Number(row.requests),
    refunded: Number(row.refunded),
  }));
  assert.deepEqual(numbers, [{ device_id: 7, provider, model, requests: 7, refunded: 2 }]);
});
