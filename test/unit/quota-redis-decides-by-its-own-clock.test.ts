import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RedisAdmission } from '../../src/quota/redis-admission.ts';
import { dayOf } from '../../src/quota/windows.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { openRedisWorld } from '../support/redis-world.ts';

const source = { countsOf: () => Promise.resolve({ today: 0, thisMonth: 0 }) };

it('without an injected clock the day is that of Redis, whatever the clock of an instance says', async (t) => {
  const world = await openRedisWorld(new FakeClock('2026-03-10T12:00:00Z'));
  t.after(() => world.close());
  const { redis, prefix } = world;
  const admission = new RedisAdmission({ redis, prefix, source });
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2001-01-01T00:00:00Z') });
  const before = dayOf(Number((await redis.time())[0]) * 1_000);
  const call = { licenseId: 'lic_clock', deviceId: 1, provider: 'openai', model: '' };
  const decision = await admission.admit(call, { daily: 1, monthly: 1 });
  const after = dayOf(Number((await redis.time())[0]) * 1_000);
  assert.equal(decision.outcome, 'admitted');
  assert.ok(decision.ticket.day >= before && decision.ticket.day <= after);
});
