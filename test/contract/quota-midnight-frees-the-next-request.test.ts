import assert from 'node:assert/strict';
import { it } from 'node:test';
import { burst, callsOfFiveDevices, statuses } from '../support/burst.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';

for (const counters of ['redis', 'memory'] as const) {
  it(`the day starts again at UTC midnight, the month at its end (${counters})`, async (t) => {
    const clock = new FakeClock('2026-04-29T23:59:59.999Z');
    const gateway = await startTestGateway({ counters, clock });
    t.after(() => gateway.close());
    const limits = { daily_limit: 5, monthly_limit: 8 };
    const { calls } = await callsOfFiveDevices([gateway], limits, 30);
    assert.deepEqual(statuses(await burst(calls)), { 200: 5, 429: 25 });
    clock.advance(1);
    assert.deepEqual(statuses(await burst(calls)), { 200: 3, 429: 27 }, 'the month goes on');
    clock.set('2026-05-01T00:00:00Z');
    const answers = await burst(calls);
    assert.deepEqual(statuses(answers), { 200: 5, 429: 25 });
    assert.equal(answers[0]?.headers['x-ratelimit-reset'], '2026-05-02T00:00:00Z');
  });
}
