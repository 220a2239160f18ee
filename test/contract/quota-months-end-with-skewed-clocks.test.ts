import assert from 'node:assert/strict';
import { it } from 'node:test';
import { burst, callsOfFiveDevices, statuses } from '../support/burst.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { LEDGER_DEADLINE } from '../support/usage-rows.ts';

const SKEW = 5_000;
const STEP = 1_000;

// Redis' own clock decides, so that skewed gateways do not matter (quota-redis-decides-by-its-own-clock). Here each
// gateway decides by its own: even then no UTC day or month has room for more than its limit.
it("B8: across a month's end, clocks ten seconds apart: each UTC day and month admits exactly its limit", async (t) => {
  const midnight = Date.parse('2026-12-01T00:00:00Z');
  const [ahead, behind] = [SKEW, -SKEW].map(
    (skew) => new FakeClock(new Date(midnight - 8 * STEP + skew).toISOString()),
  );
  assert.ok(ahead && behind);
  const one = await startTestGateway({ clock: ahead });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one, clock: behind });
  t.after(() => other.close());
  const daily = await callsOfFiveDevices([one, other], { daily_limit: 30, monthly_limit: 1_000 }, 20);
  const monthly = await callsOfFiveDevices([one, other], { daily_limit: -1, monthly_limit: 40 }, 20);

  const seen = { 200: 0, 429: 0 } as Record<number, number>;
  for (let second = 0; second < 16; second += 1) {
    const counts = statuses(await burst([...daily.calls, ...monthly.calls]));
    for (const status in counts) seen[status] = (seen[status] ?? 0) + (counts[status] ?? 0);
    for (const clock of [ahead, behind]) clock.advance(STEP);
  }
  t.diagnostic(`${JSON.stringify(seen)}; provider ${one.simulator.requests.length}`);
  assert.deepEqual(seen, { 200: 2 * 30 + 2 * 40, 429: 16 * 40 - 140 });
  for (const [{ licenseId }, limit] of [
    [daily, 30],
    [monthly, 40],
  ] as const) {
    await eventually(async () => {
      const days = await one.gateway
        .knex('usage')
        .where({ license_id: licenseId })
        .groupBy('day')
        .orderBy('day')
        .select<{ day: string; requests: number }[]>(
          'day',
          one.gateway.knex.raw('sum(requests)::int8 as requests'),
        );
      assert.deepEqual(days, [
        { day: '2026-11-30', requests: limit },
        { day: '2026-12-01', requests: limit },
      ]);
    }, LEDGER_DEADLINE);
  }
});
