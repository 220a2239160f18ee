import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tally, ticketsOf, UNLIMITED, type Kit } from './admission-kit.ts';
import { usageOf } from './usage-rows.ts';

/** Counters that are missing come back from the ledger. */
export function coldTests(kit: Kit): void {
  it('counts what was booked before the counters were lost', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-03-10T12:00:00Z');
    await kit.crowd(call, UNLIMITED, 20);
    kit.clock.set('2026-03-11T12:00:00Z');
    const [given] = ticketsOf(await kit.crowd(call, UNLIMITED, 31));
    assert.ok(given);
    await kit.world.admissions[0]?.settle(given, { refund: true });
    await kit.world.loseCounters();
    assert.deepEqual(await kit.used(call), { today: 30, thisMonth: 50 });
    assert.equal(tally(await kit.crowd(call, { daily: 100, monthly: 75 }, 200)).admitted, 25);
  });

  it('seeds missing counters once, however many requests find them missing at once', async () => {
    const call = kit.newCall();
    await kit.crowd(call, UNLIMITED, 30);
    await kit.world.loseCounters();
    const readingsBefore = kit.world.readings();
    assert.equal(tally(await kit.crowd(call, { daily: 100, monthly: -1 })).admitted, 70);
    assert.deepEqual(await kit.used(call), { today: 100, thisMonth: 100 });
    const readings = kit.world.readings() - readingsBefore;
    // One an instance, and another where requests heard of the missing counter after the first reading was over.
    const most = 4 * kit.world.admissions.length;
    assert.ok(readings <= most, `${readings} readings for 2,000 requests: at most ${most}`);
  });

  it('counts nothing by being asked what is used, warm or cold', async () => {
    const call = kit.newCall();
    assert.deepEqual(await kit.used(call), { today: 0, thisMonth: 0 });
    await kit.crowd(call, UNLIMITED, 3);
    await Promise.all(Array.from({ length: 100 }, () => kit.used(call)));
    assert.deepEqual(await kit.used(call), { today: 3, thisMonth: 3 });
    await kit.world.loseCounters();
    await Promise.all(Array.from({ length: 100 }, () => kit.used(call)));
    assert.equal(tally(await kit.crowd(call, { daily: 10, monthly: 10 }, 50)).admitted, 7);
    await kit.world.loseCounters();
    assert.deepEqual(await kit.used(call), { today: 10, thisMonth: 10 }, 'nor was anything booked');
  });
}

/** What was admitted is in PostgreSQL within 2 seconds, exactly once. */
export function bookingTests(kit: Kit): void {
  it('books what was admitted, less what was given back, by device, provider, model and day', async () => {
    const { licenseId } = kit.newCall();
    const calls = [
      { licenseId, deviceId: 1, provider: 'anthropic', model: 'claude-3-haiku-20240307' },
      { licenseId, deviceId: 1, provider: 'openai', model: 'gpt-4o' },
      { licenseId, deviceId: 1, provider: 'openai', model: 'text-embedding-3-small' },
      { licenseId, deviceId: 2, provider: 'openai', model: 'gpt-4o' },
    ];
    for (const day of ['2026-03-10', '2026-03-11']) {
      kit.clock.set(`${day}T12:00:00Z`);
      await Promise.all(
        calls.flatMap((call, index) =>
          Array.from({ length: 40 + index }, async (_, turn) => {
            const ticket = await kit.ticket(call);
            if (turn < 5) await kit.world.admissions.at(-1)?.settle(ticket, { refund: true });
          }),
        ),
      );
    }
    const rows = ['2026-03-10', '2026-03-11'].flatMap((day) =>
      calls.map(({ deviceId, provider, model }, index) => {
        return { device: deviceId, provider, model, day, requests: 35 + index, refunded: 5 };
      }),
    );
    await usageOf(kit.world.knex, { licenseId }, rows);
  });

  it('books each of 3,000 admissions exactly once', async () => {
    const call = kit.newCall();
    kit.clock.set('2026-03-12T12:00:00Z');
    const tickets = ticketsOf(await kit.crowd(call, { daily: 2_500, monthly: -1 }, 3_000));
    assert.equal(tickets.length, 2_500);
    const rows = [1, 2, 3, 4, 5].map((device) => {
      const requests = tickets.filter((ticket) => ticket.call.deviceId === device).length;
      return { day: '2026-03-12', device, requests, refunded: 0 };
    });
    await usageOf(kit.world.knex, call, rows);
  });
}
