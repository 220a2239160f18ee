import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tally, UNLIMITED, type Kit } from './admission-kit.ts';
import { usageOf } from './usage-rows.ts';

/** What a client used by itself is counted with the rest. */
export function reportTests(kit: Kit): void {
  it('adds up reports that come at once, in both windows, and books each once', async () => {
    const call = kit.newCall({ provider: 'direct', model: '' });
    kit.clock.set('2026-03-14T12:00:00Z');
    const counts = Array.from({ length: 500 }, (_, index) => (index % 7) + 1);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const told = await Promise.all(counts.map((count) => kit.report(call, count)));
    assert.deepEqual(await kit.used(call), { today: total, thisMonth: total });
    assert.equal(Math.max(...told.map(({ today }) => today)), total, 'the last one was told the sum');
    assert.equal(new Set(told.map(({ today }) => today)).size, counts.length, 'each saw its own place');
    await usageOf(kit.world.knex, call, [{ day: '2026-03-14', requests: total, refunded: 0 }]);
  });

  it('books a report beyond the limits whole, and admits nothing after it', async () => {
    const call = kit.newCall();
    const limits = { daily: 10, monthly: -1 };
    assert.equal(tally(await kit.crowd(call, limits, 4)).admitted, 4);
    assert.deepEqual(await kit.report(call, 10_000), { today: 10_004, thisMonth: 10_004 });
    assert.equal(tally(await kit.crowd(call, limits, 20)).day, 20);
  });

  it('counts reports and admissions on the same counters, up to exactly the limit', async () => {
    const call = kit.newCall();
    await Promise.all([kit.report(call, 30), kit.report(call, 31)]);
    assert.equal(tally(await kit.crowd(call, { daily: 100, monthly: 100 }, 300)).admitted, 39);
  });

  it('puts a report on top of what the ledger holds where the counters are gone', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-03-15T12:00:00Z');
    await kit.report(call, 40);
    await kit.world.loseCounters();
    const told = await Promise.all(Array.from({ length: 5 }, () => kit.report(call, 2)));
    assert.equal(Math.max(...told.map(({ today }) => today)), 50);
    await kit.world.loseCounters();
    assert.deepEqual(await kit.used(call), { today: 50, thisMonth: 50 });
  });

  it('counts a report in the day in which it comes', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-04-30T23:59:59.999Z');
    await kit.report(call, 5);
    kit.clock.set('2026-05-01T00:00:00Z');
    assert.deepEqual(await kit.report(call, 3), { today: 3, thisMonth: 3 });
    await kit.admit(call, UNLIMITED);
    await usageOf(kit.world.knex, call, [
      { day: '2026-04-30', requests: 5 },
      { day: '2026-05-01', requests: 4 },
    ]);
  });
}
