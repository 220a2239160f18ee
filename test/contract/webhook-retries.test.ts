import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { RETRY_AFTER } from '../../src/webhooks/queue.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  addWebhook,
  deliveriesOf,
  receiverSettings,
  startReceiver,
  type Receiver,
  type TestDelivery,
} from '../support/webhook-receiver.ts';

const clock = new FakeClock(new Date().toISOString());
let gateway: TestGateway;
let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings, clock });
  await addWebhook(gateway, receiver, ['license.created']);
});
after(async () => {
  await receiver.close();
  await gateway.close();
});
afterEach(() => {
  receiver.answer = 204;
  receiver.received.length = 0;
});

/** The newest delivery when it has been attempted so often, and the attempt was noted. */
function attempted(times: number): Promise<TestDelivery> {
  return eventually(async () => {
    const [delivery] = await deliveriesOf(gateway, 'limit=1');
    assert.equal(delivery?.attempts, times);
    const isNoted = delivery.error !== null || delivery.status === 'delivered';
    assert.ok(isNoted);
    if (delivery.next_attempt_at !== null) {
      const wait = Date.parse(delivery.next_attempt_at) - clock.now();
      const planned = RETRY_AFTER[times - 1] ?? 0;
      // The lease of an attempt under way ends elsewhere.
      assert.ok(wait >= planned * 0.8 - 1 && wait <= planned * 1.2 + 1, `${wait} is not about ${planned}`);
    }
    return delivery;
  }, 10_000);
}

describe('a webhook that is not accepted', () => {
  it('is tried again over hours, each time as the same event, and given up after the ninth time', async () => {
    receiver.answer = 500;
    await gateway.createLicense();
    for (let times = 1; times <= RETRY_AFTER.length; times += 1) {
      const delivery = await attempted(times);
      assert.deepEqual([delivery.status, delivery.response_status], ['pending', 500]);
      clock.advance((RETRY_AFTER[times - 1] ?? 0) * 1.2);
    }
    const failed = await attempted(RETRY_AFTER.length + 1);
    assert.deepEqual([failed.status, failed.next_attempt_at], ['failed', null]);
    assert.match(failed.error ?? '', /Answered with status 500/);

    assert.equal(new Set(receiver.received.map(({ id }) => id)).size, 1);
    assert.equal(new Set(receiver.received.map(({ body }) => body)).size, 1);
    const stamps = receiver.received.map(({ headers }) => Number(headers['webhook-timestamp']));
    assert.ok(stamps.every((stamp, index) => index === 0 || stamp > (stamps[index - 1] ?? 0)));
    // 22 hours in all.
    assert.ok((stamps.at(-1) ?? 0) - (stamps[0] ?? 0) > 22 * 3_600);
  });

  it('is not tried before its time', async () => {
    receiver.answer = 503;
    await gateway.createLicense();
    await attempted(1);
    clock.advance(3_900);
    // Another that comes later is sent: the queue was looked at.
    receiver.answer = 204;
    const { id } = await gateway.createLicense();
    await receiver.next(({ payload }) => String(payload.data.id) === id);
    assert.equal(receiver.received.length, 2);
    clock.advance(2_200);
    await eventually(() => assert.equal(receiver.received.length, 3), 5_000);
  });

  it('is delivered by the first attempt that is accepted', async () => {
    receiver.answer = (res) => void res.writeHead(500).end('no \u001b[31m place');
    await gateway.createLicense();
    const failed = await attempted(1);
    assert.equal(failed.response_excerpt, 'no \uFFFD[31m place');
    receiver.answer = 204;
    clock.advance(6_001);
    const delivered = await attempted(2);
    assert.deepEqual(
      [delivered.status, delivered.response_status, delivered.error, delivered.response_excerpt],
      ['delivered', 204, null, null],
    );
  });

  it('is sent again when an administrator asks, also where it was given up or delivered', async () => {
    const { id } = await gateway.createLicense();
    const [delivered] = await eventually(async () => {
      const all = await deliveriesOf(gateway, 'limit=1');
      assert.equal(all[0]?.event.license, id);
      assert.equal(all[0].status, 'delivered');
      return all;
    }, 5_000);
    const [failed] = await deliveriesOf(gateway, 'status=failed');
    for (const delivery of [delivered, failed]) {
      assert.ok(delivery);
      receiver.received.length = 0;
      const answer = await gateway.admin(`/webhooks/deliveries/${delivery.id}/resend`, { method: 'POST' });
      assert.equal(answer.status, 202);
      const again = await receiver.next(() => true);
      assert.equal(again.id, delivery.event.id);
      await eventually(async () => {
        const [now] = await deliveriesOf(gateway, `event=${delivery.event.id}`);
        assert.equal(now?.status, 'delivered');
      }, 5_000);
    }
  });
});
