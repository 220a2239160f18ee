import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { burst, callsOfFiveDevices, statuses } from '../support/burst.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const REQUESTS = 2_000;

describe('2,000 requests at once to two gateways of one installation', () => {
  let one: TestGateway;
  let other: TestGateway;
  before(async () => {
    one = await startTestGateway({ env: { LOG_LEVEL: 'error' } });
    other = await startTestGateway({ joins: one, env: { LOG_LEVEL: 'error' } });
  });
  after(async () => {
    await other.close();
    await one.close();
  });

  for (const [window, fields, code] of [
    ['day', { daily_limit: 100, monthly_limit: -1 }, 'rate_limit_exceeded'],
    ['month', { daily_limit: -1, monthly_limit: 100 }, 'monthly_limit_exceeded'],
  ] as const) {
    it(`admit exactly 100 at a limit of 100 a ${window}, whichever of five devices asks`, async () => {
      one.simulator.reset();
      const { calls } = await callsOfFiveDevices([one, other], fields, REQUESTS);
      const answers = await burst(calls);
      assert.deepEqual(statuses(answers), { 200: 100, 429: REQUESTS - 100 });
      assert.equal(one.simulator.requests.length, 100, 'the provider received what was admitted');
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(refused.every(({ body }) => body.includes(`"${code}"`)));
      const admitted = answers.filter(({ status }) => status === 200);
      const remaining = admitted.map(({ headers }) => headers['x-ratelimit-remaining']);
      assert.equal(new Set(remaining).size, 100, 'each was told its own number');
    });
  }
});
