import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { addWebhook, receiverSettings, startReceiver, type Receiver } from '../support/webhook-receiver.ts';

const clock = new FakeClock(`${new Date().toISOString().slice(0, 10)}T12:00:00Z`);
let gateway: TestGateway;
let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings, clock });
  await addWebhook(gateway, receiver, ['usage.threshold']);
});
after(async () => {
  await receiver.close();
  await gateway.close();
});

/** What an instance leaves that is killed after the ledger has what it admitted, and before it told of it. */
async function ledgerHolds(licenseId: string, day: string, requests: number): Promise<void> {
  await gateway.gateway.knex('usage').insert({
    ...{ license_id: licenseId, day, device_id: 1, provider: 'openai', model: '' },
    ...{ requests, refunded: 0 },
  });
}

function marks(licenseId: string, count: number): Promise<string[]> {
  return eventually(() => {
    const found = receiver.received
      .filter(({ payload }) => String(payload.data.id) === licenseId)
      .map(({ payload }) => payload.data.usage as unknown as { window: string; threshold: number })
      .map(({ window, threshold }) => `${window} ${threshold}`);
    assert.equal(found.length, count);
    return found.sort();
  }, 8_000);
}

it('what was admitted by an instance that did not live to tell is found in the ledger', async () => {
  const today = new Date(clock.now()).toISOString().slice(0, 10);
  const { id } = await gateway.createLicense({ daily_limit: 10, monthly_limit: 12 });
  await ledgerHolds(id, today, 8);
  const { id: far } = await gateway.createLicense({ daily_limit: 10 });
  await ledgerHolds(far, today, 7);
  clock.advance(301_000);
  assert.deepEqual(await marks(id, 1), ['day 80']);
  assert.ok(!receiver.received.some(({ payload }) => String(payload.data.id) === far));
});

it('also at the end of a day that is over when it is looked for', async () => {
  const day = new Date(clock.now()).toISOString().slice(0, 10);
  const { id } = await gateway.createLicense({ daily_limit: 10 });
  await ledgerHolds(id, day, 10);
  clock.set(`${new Date(clock.now() + 86_400_000).toISOString().slice(0, 10)}T00:03:00Z`);
  assert.deepEqual(await marks(id, 2), ['day 100', 'day 80']);
});
