import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  addWebhook,
  deliveriesOf,
  receiverSettings,
  startReceiver,
  type Receiver,
} from '../support/webhook-receiver.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const clock = new FakeClock(new Date().toISOString());
let gateway: TestGateway;
let second: TestGateway;
let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings, clock });
  second = await startTestGateway({ joins: gateway, clock });
  await addWebhook(gateway, receiver, ['license.expiring', 'license.expired']);
});
after(async () => {
  await receiver.close();
  await second.close();
  await gateway.close();
});

function inDays(days: number): string {
  return new Date(clock.now() + days * DAY).toISOString();
}

/** The events of a license when there are so many, the ending in front: they have one time, since the clock stands. */
function told(licenseId: string, count: number): Promise<string[]> {
  return eventually(async () => {
    const types = (await deliveriesOf(gateway, 'limit=200'))
      .filter(({ event }) => event.license === licenseId)
      .map(({ event }) => event.type)
      .sort();
    assert.equal(types.length, count, types.join());
    return types;
  }, 8_000);
}

describe('the end of a license', () => {
  it('is told seven days before and when it comes, once each, whatever number of instances look for it', async () => {
    const end = inDays(9);
    const licenses = await Promise.all(
      Array.from({ length: 30 }, () => gateway.createLicense({ expires_at: end })),
    );
    const { id: unending } = await gateway.createLicense();
    clock.advance(2 * DAY + HOUR);
    for (const { id } of licenses) assert.deepEqual(await told(id, 1), ['license.expiring']);
    clock.advance(7 * DAY);
    for (const { id } of licenses)
      assert.deepEqual(await told(id, 2), ['license.expired', 'license.expiring']);
    // Scans that come later find nothing more.
    clock.advance(HOUR);
    const { id: later } = await gateway.createLicense({
      expires_at: new Date(clock.now() + 1).toISOString(),
    });
    clock.advance(20_000);
    await told(later, 2);
    for (const { id } of licenses) await told(id, 2);
    await told(unending, 0);
    // Written is not yet sent.
    const expired = await eventually(() => {
      const found = receiver
        .ofType('license.expired')
        .find(({ payload }) => payload.data.id === licenses[0]?.id);
      assert.ok(found);
      return found;
    }, 8_000);
    assert.equal(expired.payload.timestamp, end);
    assert.equal(expired.payload.data.status, 'expired');
  });

  it('is told again for another date, and at once where a change makes it', async () => {
    const { id } = await gateway.createLicense({ expires_at: inDays(3) });
    assert.deepEqual(await told(id, 1), ['license.expiring']);
    await change(gateway, id, { expires_at: inDays(30) });
    await change(gateway, id, { expires_at: inDays(5) });
    assert.deepEqual(await told(id, 2), ['license.expiring', 'license.expiring']);
    await change(gateway, id, { expires_at: inDays(-1) });
    assert.deepEqual(await told(id, 3), ['license.expired', 'license.expiring', 'license.expiring']);
  });

  it('is not told of a license that was suspended or revoked before', async () => {
    const { id } = await gateway.createLicense({ expires_at: inDays(8) });
    await change(gateway, id, 'suspend');
    const { id: witness } = await gateway.createLicense({ expires_at: inDays(8) });
    clock.advance(9 * DAY);
    await told(witness, 2);
    await told(id, 0);
    await change(gateway, id, 'reinstate');
    assert.deepEqual(await told(id, 1), ['license.expired']);
  });
});
