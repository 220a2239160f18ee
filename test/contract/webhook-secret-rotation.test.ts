import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import {
  addWebhook,
  receiverSettings,
  startReceiver,
  verify,
  type Received,
  type Receiver,
} from '../support/webhook-receiver.ts';

const clock = new FakeClock(new Date().toISOString());
let gateway: TestGateway;
let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings, clock });
});
after(async () => {
  await receiver.close();
  await gateway.close();
});

async function next(): Promise<Received> {
  const { id } = await gateway.createLicense();
  return receiver.next(({ payload }) => String(payload.data.id) === id);
}

async function rotate(id: string): Promise<string> {
  const answer = await gateway.admin(`/webhooks/${id}/rotate-secret`, { method: 'POST' });
  assert.equal(answer.status, 200);
  const { secret } = answer.body as unknown as { secret: string };
  rememberSecret(secret);
  return secret;
}

it('both secrets sign for 24 hours after a rotation, and then the new one alone', async () => {
  const { id, secret: first } = await addWebhook(gateway, receiver);
  assert.match(first, /^whsec_[A-Za-z0-9+/]{43}=$/);
  verify(first, await next());

  const second = await rotate(id);
  assert.notEqual(second, first);
  const both = await next();
  verify(first, both);
  verify(second, both);
  assert.match(String(both.headers['webhook-signature']), /^v1,\S{44} v1,\S{44}$/);

  // The verifying side takes no timestamp that is a day off, so that here the signatures are counted.
  clock.advance(24 * 3_600_000 + 1);
  assert.match(String((await next()).headers['webhook-signature']), /^v1,\S{44}$/);
});

it('the secret is shown once, and nowhere after that', async () => {
  const { id, secret } = await addWebhook(gateway, receiver);
  for (const path of ['/webhooks', `/webhooks/${id}`, '/webhooks/deliveries', '/audit']) {
    const { status, text } = await gateway.admin(path);
    assert.equal(status, 200);
    assert.ok(!text.includes(secret), path);
  }
  const rows = await gateway.gateway.knex('webhook_endpoints').where({ id }).select();
  assert.ok(!JSON.stringify(rows).includes(Buffer.from(secret).toString('hex')));
});
