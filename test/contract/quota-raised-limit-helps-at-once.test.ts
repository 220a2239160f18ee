import assert from 'node:assert/strict';
import { it } from 'node:test';
import { burst, callsOfFiveDevices, statuses } from '../support/burst.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';

for (const counters of ['redis', 'memory'] as const) {
  it(`B9: a raised limit helps the very next request, and refused ones were not counted (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters });
    t.after(() => gateway.close());
    const limits = { daily_limit: 10, monthly_limit: 10 };
    const { licenseId, calls } = await callsOfFiveDevices([gateway], limits, 100);
    assert.deepEqual(statuses(await burst(calls)), { 200: 10, 429: 90 });

    const raise = (body: object): Promise<{ status: number }> =>
      gateway.admin(`/licenses/${licenseId}`, { method: 'PATCH', body });
    assert.equal((await raise({ daily_limit: 13 })).status, 200);
    assert.deepEqual(statuses(await burst(calls.slice(0, 1))), { 429: 1 }, 'the month is still used up');
    await raise({ monthly_limit: 14 });
    const [next] = await burst(calls.slice(0, 1));
    assert.equal(next?.status, 200);
    assert.equal(next.headers['x-ratelimit-limit'], '13');
    assert.equal(next.headers['x-ratelimit-remaining'], '2');
    assert.deepEqual(statuses(await burst(calls)), { 200: 2, 429: 98 });
  });
}

it('a limit that one gateway raises helps on the other one within a second', async (t) => {
  const one = await startTestGateway();
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const { licenseId, calls } = await callsOfFiveDevices([other, one], { daily_limit: 3 }, 20);
  assert.deepEqual(statuses(await burst(calls)), { 200: 3, 429: 17 });
  await one.admin(`/licenses/${licenseId}`, { method: 'PATCH', body: { daily_limit: 4 } });
  await eventually(async () => {
    assert.deepEqual(statuses(await burst(calls.slice(0, 1))), { 200: 1 });
  }, 1_000);
});
