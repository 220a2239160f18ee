import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tally, ticketsOf, UNLIMITED, type Kit } from './admission-kit.ts';
import { usageOf } from './usage-rows.ts';

/** What is given back comes back where it was taken. */
export function refundTests(kit: Kit): void {
  it('gives a refund back to the day and to the month, for somebody else to use', async () => {
    const call = kit.newCall();
    const limits = { daily: 50, monthly: 50 };
    const tickets = ticketsOf(await kit.crowd(call, limits, 200));
    await Promise.all(tickets.slice(0, 30).map((t) => settle(kit, t)));
    assert.deepEqual(await kit.used(call), { today: 20, thisMonth: 20 });
    assert.equal(tally(await kit.crowd(call, limits, 200)).admitted, 30);
  });

  it('never counts below 0, even if a ticket is given back twice', async () => {
    const call = kit.newCall();
    const ticket = await kit.ticket(call);
    await settle(kit, ticket);
    await settle(kit, ticket);
    assert.deepEqual(await kit.used(call), { today: 0, thisMonth: 0 });
    assert.equal(tally(await kit.crowd(call, { daily: 5, monthly: 5 }, 50)).admitted, 5);
  });

  it('gives a refund after midnight back to the day of the admission', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-03-10T23:59:59.900Z');
    const tickets = [await kit.ticket(call), await kit.ticket(call), await kit.ticket(call)];
    kit.clock.set('2026-03-11T00:00:01Z');
    await kit.ticket(call);
    await settle(kit, tickets[0]);
    assert.deepEqual(await kit.used(call), { today: 1, thisMonth: 3 });
    await usageOf(kit.world.knex, call, [
      { day: '2026-03-10', requests: 2, refunded: 1 },
      { day: '2026-03-11', requests: 1, refunded: 0 },
    ]);
  });

  it('gives a refund after the end of the month back to the month of the admission', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-10-31T23:59:59Z');
    const ticket = await kit.ticket(call);
    kit.clock.set('2026-11-01T00:00:01Z');
    await kit.ticket(call);
    await settle(kit, ticket);
    assert.deepEqual(await kit.used(call), { today: 1, thisMonth: 1 });
    await usageOf(kit.world.knex, call, [
      { day: '2026-10-31', requests: 0, refunded: 1 },
      { day: '2026-11-01', requests: 1, refunded: 0 },
    ]);
  });

  it('moves the booking, and no count, when the model is known later', async () => {
    const call = kit.newCall({ model: '' });
    const [first, second, third] = [await kit.ticket(call), await kit.ticket(call), await kit.ticket(call)];
    await settle(kit, first, { refund: false, model: 'gpt-4o' });
    await settle(kit, second, { refund: true, model: 'gpt-4o' });
    await settle(kit, third, { refund: false, model: '' });
    assert.deepEqual(await kit.used(call), { today: 2, thisMonth: 2 });
    await usageOf(kit.world.knex, call, [
      { model: '', requests: 1, refunded: 0 },
      { model: 'gpt-4o', requests: 1, refunded: 1 },
    ]);
  });
}

const midnights: [name: string, before: string, after: string, monthGoesOn: boolean][] = [
  ['midnight', '2026-03-10T23:59:59.999Z', '2026-03-11T00:00:00Z', true],
  ['the end of a month', '2026-04-30T23:59:59.999Z', '2026-05-01T00:00:00Z', false],
  ['the end of a year', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00Z', false],
  ['28 February of a leap year', '2028-02-28T23:59:59.999Z', '2028-02-29T00:00:00Z', true],
  ['29 February', '2028-02-29T23:59:59.999Z', '2028-03-01T00:00:00Z', false],
  ['28 February of another year', '2027-02-28T23:59:59.999Z', '2027-03-01T00:00:00Z', false],
];

/** Windows are UTC days and months. */
export function calendarTests(kit: Kit): void {
  for (const [name, eve, morning, monthGoesOn] of midnights) {
    it(`starts a new day at 0 and ${monthGoesOn ? 'goes on with the month' : 'a new month too'} at ${name}`, async () => {
      const call = kit.newCall();
      const limits = { daily: 10, monthly: 15 };
      kit.clock.set(eve);
      assert.equal(tally(await kit.crowd(call, limits, 100)).admitted, 10);
      kit.clock.set(morning);
      assert.deepEqual(await kit.used(call), { today: 0, thisMonth: monthGoesOn ? 10 : 0 });
      assert.equal(tally(await kit.crowd(call, limits, 100)).admitted, monthGoesOn ? 5 : 10);
      kit.clock.set(eve);
      assert.equal((await kit.used(call)).today, 10, 'the day before kept its count');
    });
  }

  it('admits at most the limit in each day while midnight passes under load', async () => {
    const call = kit.newCall();
    const limits = { daily: 100, monthly: -1 };
    kit.clock.set('2026-06-15T23:59:59.999Z');
    await kit.used(call);
    const eve = kit.crowd(call, limits, 500);
    kit.clock.advance(1);
    const morning = kit.crowd(call, limits, 500);
    const days = ticketsOf([...(await eve), ...(await morning)]).map(({ day }) => day);
    const first = Math.min(...days);
    const admitted = [days.filter((d) => d === first).length, days.filter((d) => d === first + 1).length];
    assert.ok(admitted.every((count) => count <= 100) && admitted.includes(100), String(admitted));
    assert.equal(days.length, (admitted[0] ?? 0) + (admitted[1] ?? 0));
    assert.equal((await kit.used(call)).thisMonth, days.length);
  });

  it('tells the day that it decided for', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-06-15T00:00:00Z');
    const { day } = await kit.ticket(call, UNLIMITED);
    assert.equal(day * 86_400_000, Date.parse('2026-06-15T00:00:00Z'));
  });
}

async function settle(
  kit: Kit,
  ticket: Parameters<Kit['world']['admissions'][number]['settle']>[0] | undefined,
  settlement: { refund: boolean; model?: string } = { refund: true },
): Promise<void> {
  assert.ok(ticket);
  const [admission] = kit.world.admissions;
  await admission?.settle(ticket, settlement);
}
