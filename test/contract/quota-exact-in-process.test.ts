import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { burst, callsOfFiveDevices, statuses } from '../support/burst.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const REQUESTS = 2_000;

describe('2,000 requests at once to a gateway that counts in its own process', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', env: { LOG_LEVEL: 'error' } });
  });
  after(() => gateway.close());

  for (const [window, fields] of [
    ['day', { daily_limit: 100, monthly_limit: 1_000 }],
    ['month', { daily_limit: 1_000, monthly_limit: 100 }],
  ] as const) {
    it(`admit exactly 100 at a limit of 100 a ${window}, whichever of five devices asks`, async () => {
      gateway.simulator.reset();
      const { calls } = await callsOfFiveDevices([gateway], fields, REQUESTS);
      assert.deepEqual(statuses(await burst(calls)), { 200: 100, 429: REQUESTS - 100 });
      assert.equal(gateway.simulator.requests.length, 100, 'the provider received what was admitted');
    });
  }
});
