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

let gateway: TestGateway;
let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings });
});
after(async () => {
  await receiver.close();
  await gateway.close();
});

it('a receiver that answers 410 is sent nothing more until an administrator enables it', async () => {
  const { id } = await addWebhook(gateway, receiver);
  receiver.answer = 410;
  await gateway.createLicense();
  await eventually(async () => {
    const { webhook } = (await gateway.admin(`/webhooks/${id}`)).body as unknown as {
      webhook: { enabled: boolean; disabled_reason: string | null };
    };
    assert.equal(webhook.enabled, false);
    assert.match(webhook.disabled_reason ?? '', /410/);
  }, 5_000);
  const [delivery] = await deliveriesOf(gateway);
  assert.deepEqual([delivery?.status, delivery?.response_status], ['failed', 410]);
  const refused = await gateway.admin(`/webhooks/deliveries/${delivery?.id ?? ''}/resend`, {
    method: 'POST',
  });
  assert.deepEqual([refused.status, refused.body.code], [409, 'webhook_disabled']);

  await gateway.createLicense();
  assert.equal((await deliveriesOf(gateway)).length, 1);
  receiver.answer = 204;
  await gateway.admin(`/webhooks/${id}`, { method: 'PATCH', body: { enabled: true } });
  const { id: told } = await gateway.createLicense();
  await receiver.next(({ payload }) => String(payload.data.id) === told);
});
