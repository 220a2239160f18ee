import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CROWD, tally, UNLIMITED, type Kit } from './admission-kit.ts';

/** A limit admits exactly itself, and a refusal counts nothing. */
export function limitTests(kit: Kit): void {
  for (const [window, limits] of [
    ['day', { daily: 100, monthly: -1 }],
    ['month', { daily: -1, monthly: 100 }],
  ] as const) {
    it(`admits exactly 100 of ${CROWD} at once at a limit of 100 a ${window}`, async () => {
      const call = kit.newCall();
      const decisions = await kit.crowd(call, limits);
      const expected = { admitted: 100, day: 0, month: 0, unavailable: 0, [window]: CROWD - 100 };
      assert.deepEqual(tally(decisions), expected);
      const counts = decisions.filter((d) => d.outcome === 'admitted').map((d) => d.used?.today ?? 0);
      assert.deepEqual(
        counts.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, index) => index + 1),
        'each admission is told its own number',
      );
      assert.deepEqual(await kit.used(call), { today: 100, thisMonth: 100 });
    });

    it(`counts no refused request: a ${window}'s limit raised by 7 admits 7 more`, async () => {
      const call = kit.newCall();
      assert.equal(tally(await kit.crowd(call, limits, 500)).admitted, 100);
      const raised = { ...limits, [window === 'day' ? 'daily' : 'monthly']: 107 };
      assert.equal(tally(await kit.crowd(call, raised, 500)).admitted, 7);
      assert.deepEqual(await kit.used(call), { today: 107, thisMonth: 107 });
    });

    it(`admits nobody at a limit of 0 a ${window}`, async () => {
      const call = kit.newCall();
      const none = { ...UNLIMITED, [window === 'day' ? 'daily' : 'monthly']: 0 };
      const decision = await kit.admit(call, none);
      assert.equal(decision.outcome, 'refused');
      assert.equal(decision.exceeded, window);
      assert.deepEqual(await kit.used(call), { today: 0, thisMonth: 0 });
    });
  }

  it('admits everybody where both limits are -1, and counts them', async () => {
    const call = kit.newCall();
    assert.equal(tally(await kit.crowd(call, UNLIMITED)).admitted, CROWD);
    assert.deepEqual(await kit.used(call), { today: CROWD, thisMonth: CROWD });
  });

  it('refuses at once where a limit was lowered below what is used', async () => {
    const call = kit.newCall();
    await kit.crowd(call, UNLIMITED, 20);
    const decision = await kit.admit(call, { daily: 5, monthly: -1 });
    assert.equal(decision.outcome, 'refused');
    assert.equal(decision.used.today, 20);
  });

  it('keeps the counts of two licenses apart', async () => {
    const [one, other] = [kit.newCall(), kit.newCall()];
    const limits = { daily: 10, monthly: 10 };
    const both = await Promise.all([kit.crowd(one, limits, 200), kit.crowd(other, limits, 200)]);
    assert.deepEqual(
      both.map((decisions) => tally(decisions).admitted),
      [10, 10],
    );
  });
}

/** A request is counted in the day and in the month, or in neither. */
export function crossingTests(kit: Kit): void {
  it('counts in both windows or in neither where the month is used up before the day', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-03-10T12:00:00Z');
    await kit.crowd(call, UNLIMITED, 60);
    kit.clock.set('2026-03-11T12:00:00Z');
    const limits = { daily: 100, monthly: 130 };
    assert.deepEqual(tally(await kit.crowd(call, limits)), {
      admitted: 70,
      day: 0,
      month: CROWD - 70,
      unavailable: 0,
    });
    assert.deepEqual(await kit.used(call), { today: 70, thisMonth: 130 });
    const raised = await kit.crowd(call, { daily: 100, monthly: 1_000 }, 200);
    assert.equal(tally(raised).admitted, 30, 'the refused ones were not counted in the day');
  });

  it('counts in both windows or in neither where the day is used up before the month', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-03-10T12:00:00Z');
    await kit.crowd(call, UNLIMITED, 60);
    kit.clock.set('2026-03-11T12:00:00Z');
    const limits = { daily: 50, monthly: 130 };
    assert.equal(tally(await kit.crowd(call, limits)).admitted, 50);
    assert.deepEqual(await kit.used(call), { today: 50, thisMonth: 110 });
    kit.clock.set('2026-03-12T12:00:00Z');
    assert.deepEqual(tally(await kit.crowd(call, limits, 200)), {
      admitted: 20,
      day: 0,
      month: 180,
      unavailable: 0,
    });
  });

  it('admits exactly 100 where the day and the month are used up by the same request', async () => {
    const call = kit.newCall();
    const decisions = await kit.crowd(call, { daily: 100, monthly: 100 });
    assert.equal(tally(decisions).admitted, 100);
    assert.deepEqual(await kit.used(call), { today: 100, thisMonth: 100 });
  });
}
