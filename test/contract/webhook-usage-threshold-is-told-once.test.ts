import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { burst, callsOfFiveDevices } from '../support/burst.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { addWebhook, receiverSettings, startReceiver, type Receiver } from '../support/webhook-receiver.ts';

let gateway: TestGateway;
let second: TestGateway;
let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings });
  second = await startTestGateway({ joins: gateway });
  await addWebhook(gateway, receiver, ['usage.threshold']);
  // Each instance learns of it in its next round.
  const { proxyKey } = await gateway.device({ daily_limit: 1 });
  await eventually(async () => {
    await chatStatus(gateway, proxyKey);
    await chatStatus(second, proxyKey);
    assert.ok(receiver.received.length > 0);
  }, 5_000);
});
after(async () => {
  await receiver.close();
  await second.close();
  await gateway.close();
});

interface Usage {
  window: string;
  threshold: number;
  used: number;
  limit: number;
  resets_at: string;
}

function usages(licenseId: string): Usage[] {
  return receiver.received
    .filter(({ payload }) => String(payload.data.id) === licenseId)
    .map(({ payload }) => payload.data.usage as unknown as Usage);
}

function marks(licenseId: string): string[] {
  return usages(licenseId)
    .map(({ window, threshold }) => `${window} ${threshold}`)
    .sort();
}

describe('a license that comes near its limits', () => {
  it('is told of at 80 and at 100 per cent, once, however many instances count at the same time', async () => {
    const { licenseId, calls } = await callsOfFiveDevices([gateway, second], { daily_limit: 50 }, 120);
    const answers = await burst(calls, 20);
    assert.equal(answers.filter(({ status }) => status === 200).length, 50);
    await eventually(() => assert.deepEqual(marks(licenseId), ['day 100', 'day 80']), 5_000);
    for (const { limit, used, threshold, resets_at: end } of usages(licenseId)) {
      assert.equal(limit, 50);
      assert.ok(used * 100 >= threshold * limit && used <= limit);
      assert.match(end, /T00:00:00\.000Z$/);
    }
    // More refusals tell nothing more: what comes after them has come, and they are not there.
    await burst(calls.slice(0, 20), 20);
    const { licenseId: witness, proxyKey } = await gateway.device({ daily_limit: 1 });
    await chatStatus(gateway, proxyKey);
    await eventually(() => assert.equal(marks(witness).length, 2), 5_000);
    assert.deepEqual(marks(licenseId), ['day 100', 'day 80']);
  });

  it('is told of for the month too, by the limits in force', async () => {
    const { licenseId, proxyKey } = await gateway.device({ monthly_limit: 5, daily_limit: 1_000 });
    for (let count = 0; count < 3; count += 1) await chatStatus(gateway, proxyKey);
    assert.deepEqual(marks(licenseId), []);
    await chatStatus(second, proxyKey);
    await eventually(() => assert.deepEqual(marks(licenseId), ['month 80']), 5_000);
    await chatStatus(gateway, proxyKey);
    await eventually(() => assert.deepEqual(marks(licenseId), ['month 100', 'month 80']), 5_000);
    assert.equal(usages(licenseId)[0]?.used, 4);
  });

  it('is not told of where it is unlimited', async () => {
    const { licenseId, proxyKey } = await gateway.device({ tier: 'enterprise' });
    for (let count = 0; count < 12; count += 1) assert.equal(await chatStatus(gateway, proxyKey), 200);
    const { licenseId: witness, proxyKey: other } = await gateway.device({ daily_limit: 1 });
    await chatStatus(gateway, other);
    await eventually(() => assert.equal(marks(witness).length, 2), 5_000);
    assert.deepEqual(marks(licenseId), []);
  });

  it('is told of when its limit is lowered to what it has used, with its next request', async () => {
    const { licenseId, proxyKey } = await gateway.device({ daily_limit: 100 });
    for (let count = 0; count < 5; count += 1) await chatStatus(gateway, proxyKey);
    await change(gateway, licenseId, { daily_limit: 5 });
    assert.equal(await chatStatus(gateway, proxyKey), 429);
    await eventually(() => assert.deepEqual(marks(licenseId), ['day 100', 'day 80']), 5_000);
  });
});
