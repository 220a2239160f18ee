import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dayOf } from '../../src/quota/windows.ts';
import { openRedisWorld } from '../support/redis-world.ts';

it('without an injected clock the day is that of Redis, whatever the clock of an instance says', async (t) => {
  const world = await openRedisWorld(undefined);
  t.after(() => world.close());
  const { redis } = world;
  const [admission] = world.admissions;
  assert.ok(admission);
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2001-01-01T00:00:00Z') });
  const before = dayOf(Number((await redis.time())[0]) * 1_000);
  const call = { licenseId: 'lic_clock', deviceId: 1, provider: 'openai', model: '' };
  const decision = await admission.admit(call, { daily: 1, monthly: 1 });
  const after = dayOf(Number((await redis.time())[0]) * 1_000);
  assert.equal(decision.outcome, 'admitted');
  assert.ok(decision.ticket.day >= before && decision.ticket.day <= after);
});
