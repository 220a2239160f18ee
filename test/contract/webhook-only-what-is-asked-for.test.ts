import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
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

describe('an endpoint gets', () => {
  it('the types that it asked for, and nothing of before it was made', async () => {
    const { id } = await gateway.createLicense();
    await addWebhook(gateway, receiver, ['license.suspended']);
    await change(gateway, id, 'suspend');
    await change(gateway, id, 'revoke');
    await receiver.next(({ payload }) => payload.type === 'license.suspended');
    const rows = await deliveriesOf(gateway);
    assert.deepEqual(
      rows.map((row) => row.event.type),
      ['license.suspended'],
    );
  });

  it('nothing once it is disabled or removed', async () => {
    const other = await startReceiver();
    const { id } = await addWebhook(gateway, other);
    await gateway.admin(`/webhooks/${id}`, { method: 'PATCH', body: { enabled: false } });
    await gateway.createLicense();
    assert.deepEqual(await deliveriesOf(gateway, `endpoint=${id}`), []);
    await gateway.admin(`/webhooks/${id}`, { method: 'PATCH', body: { enabled: true } });
    const { id: told } = await gateway.createLicense();
    await other.next(({ payload }) => String(payload.data.id) === told);
    await gateway.admin(`/webhooks/${id}`, { method: 'DELETE' });
    await gateway.createLicense();
    assert.deepEqual(await deliveriesOf(gateway, `endpoint=${id}`), []);
    await other.close();
  });

  it('no event of a change that was rolled back', async () => {
    await addWebhook(gateway, receiver);
    const { knex } = gateway.gateway;
    const before = await knex('webhook_events').count<{ count: number }[]>({ count: '*' });
    // The device's key cannot be stored: all of the activation is undone.
    await knex.raw('ALTER TABLE proxy_keys ADD CONSTRAINT test_none CHECK (false) NOT VALID');
    const { licenseKey } = await gateway.createLicense();
    const answer = await gateway.request('/activate', {
      body: { license_key: licenseKey, hardware_id: 'hw-1' },
    });
    assert.equal(answer.status, 500);
    await knex.raw('ALTER TABLE proxy_keys DROP CONSTRAINT test_none');
    const after = await knex('webhook_events').count<{ count: number }[]>({ count: '*' });
    // The license was made, and told; its activation was not.
    assert.equal(Number(after[0]?.count) - Number(before[0]?.count), 1);
  });
});
