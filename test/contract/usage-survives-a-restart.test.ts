import assert from 'node:assert/strict';
import { it } from 'node:test';
import { burst, callsOfFiveDevices, statuses } from '../support/burst.ts';
import { startTestGateway } from '../support/gateway.ts';

for (const counters of ['redis', 'memory'] as const) {
  it(`a gateway that is stopped writes what it counted, and the next one counts on (${counters})`, async (t) => {
    // Owns the simulator, and serves nobody.
    const idle = await startTestGateway({ counters });
    t.after(() => idle.close());
    const first = await startTestGateway({ joins: idle });
    t.after(() => first.close());
    const { calls } = await callsOfFiveDevices([first], { daily_limit: 30, monthly_limit: 50 }, 100);
    assert.deepEqual(statuses(await burst(calls.slice(0, 20))), { 200: 20 });
    await first.close();

    const second = await startTestGateway({ joins: idle });
    t.after(() => second.close());
    const again = calls.map(({ proxyKey }) => ({ proxyKey, gateway: second }));
    assert.deepEqual(statuses(await burst(again)), { 200: 10, 429: 90 });
  });
}
