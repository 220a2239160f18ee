import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { addWebhook, deliveriesOf, receiverSettings, startReceiver } from '../support/webhook-receiver.ts';

it('a gateway that stops waits for attempts under way, cuts off what takes too long, and that is sent by another', async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const first = await startTestGateway({ env: { ...receiverSettings, SHUTDOWN_TIMEOUT_MS: '1500' } });
  t.after(() => first.close());
  await addWebhook(first, receiver);
  const answers: (() => void)[] = [];
  receiver.answer = (res) => void answers.push(() => res.writeHead(204).end());
  const { id: finished } = await first.createLicense();
  const { id: cut } = await first.createLicense();
  const one = await receiver.next(({ payload }) => String(payload.data.id) === finished);
  await receiver.next(({ payload }) => String(payload.data.id) === cut);
  const successor = await startTestGateway({ joins: first });
  t.after(() => successor.close());

  const stopped = first.close();
  answers[receiver.received.indexOf(one)]?.();
  await stopped;
  receiver.answer = 204;
  // At once: the gateway that stopped gave it back.
  await receiver.next(
    (again) => String(again.payload.data.id) === cut && receiver.received.indexOf(again) > 1,
    5_000,
  );
  const all = await deliveriesOf(successor);
  assert.equal(all.find(({ event }) => event.license === finished)?.attempts, 1);
  assert.equal(receiver.received.filter(({ payload }) => String(payload.data.id) === finished).length, 1);
});
