import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  addWebhook,
  deliveriesOf,
  receiverSettings,
  startReceiver,
  type Receiver,
} from '../support/webhook-receiver.ts';

const EVENTS = 40;

let gateway: TestGateway;
let slow: Receiver;
let quick: Receiver;
before(async () => {
  slow = await startReceiver();
  quick = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings });
});
after(async () => {
  await slow.close();
  await quick.close();
  await gateway.close();
});

it('an endpoint that does not answer holds five attempts, and delays those of another by nothing', async () => {
  slow.answer = undefined;
  const { id } = await addWebhook(gateway, slow);
  await addWebhook(gateway, quick);
  await Promise.all(Array.from({ length: EVENTS }, () => gateway.createLicense()));
  // Behind an attempt of the other endpoint, which takes 10 s, it would come later.
  await eventually(() => assert.equal(quick.received.length, EVENTS), 9_000);
  assert.equal(slow.received.length, 5);

  // When it answers again, it gets the rest.
  await gateway.admin(`/webhooks/${id}`, { method: 'PATCH', body: { url: quick.url } });
  await eventually(async () => {
    const pending = await deliveriesOf(gateway, `endpoint=${id}&status=pending`);
    assert.equal(pending.length, 5);
  }, 30_000);
});
