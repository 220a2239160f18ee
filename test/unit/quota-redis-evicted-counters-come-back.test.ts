import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Decision } from '../../src/quota/admission.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { openRedisWorld } from '../support/redis-world.ts';

const limits = { daily: 100, monthly: 100 };

it('a counter that is gone is rebuilt with what still waits in the stream', async (t) => {
  const world = await openRedisWorld(new FakeClock('2026-03-10T12:00:00Z'));
  t.after(() => world.close());
  const [one, other] = world.admissions;
  assert.ok(one && other);
  const call = { licenseId: 'lic_evicted', deviceId: 1, provider: 'openai', model: 'gpt-4o' };
  let counted = 0;
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(Array.from({ length: 5 }, () => one.admit(call, limits)));
    counted += 5;
    // Nobody waited for the ledger: the next call has to fold the stream itself before it reads.
    const deleted = await world.deleteKeys(round % 3 === 0 ? /:[dm]:/ : round % 3 === 1 ? /:d:/ : /:m:/);
    assert.ok(deleted > 0);
    const decision: Decision = await other.admit(call, limits);
    counted += 1;
    assert.equal(decision.outcome, 'admitted');
    assert.deepEqual([decision.used?.today, decision.used?.thisMonth], [counted, counted]);
  }
});
