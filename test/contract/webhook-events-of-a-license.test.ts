import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { adminBody, change } from '../support/admin-calls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  addWebhook,
  deliveriesOf,
  receiverSettings,
  startReceiver,
  verify,
  type Received,
  type Receiver,
} from '../support/webhook-receiver.ts';

let gateway: TestGateway;
let receiver: Receiver;
let secret: string;

before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings });
  ({ secret } = await addWebhook(gateway, receiver));
});
after(async () => {
  await receiver.close();
  await gateway.close();
});

function event(type: string, licenseId: string): Promise<Received> {
  return receiver.next(({ payload }) => payload.type === type && String(payload.data.id) === licenseId);
}

describe('what happens to a license is told', () => {
  it('within two seconds', async () => {
    const took: number[] = [];
    // The quickest of three: the machine may be busy elsewhere for a moment.
    for (let round = 0; round < 3; round += 1) {
      const { id } = await gateway.createLicense();
      const made = performance.now();
      await event('license.created', id);
      took.push(performance.now() - made);
    }
    assert.ok(Math.min(...took) < 2_000, took.join());
  });

  it('its making, signed, with what the admin API shows of it and no key', async () => {
    const { id, licenseKey } = await gateway.createLicense({ name: 'Ada Lovelace' });
    const one = await event('license.created', id);
    assert.deepEqual(verify(secret, one), JSON.parse(one.body));
    assert.throws(() => verify(secret, { ...one, body: one.body.replace('Ada', 'Eve') }));
    assert.equal(one.headers['content-type'], 'application/json');
    assert.match(one.id, /^evt_[0-9a-f]{24}$/);
    const { license } = adminBody(await gateway.admin(`/licenses/${id}`));
    for (const [field, value] of Object.entries(one.payload.data))
      assert.deepEqual(value, license[field as 'id'], field);
    assert.equal(one.payload.data.email, 'customer@example.com');
    assert.equal(one.payload.timestamp, license.created_at);
    assert.ok(!one.body.includes(licenseKey.slice(10)));
  });

  it('its activation on a device, once: a retry of the same device is none', async () => {
    const { id, licenseKey } = await gateway.createLicense({ max_activations: 2 });
    await gateway.activate(licenseKey, 'hw-1');
    await gateway.activate(licenseKey, 'hw-1');
    await gateway.activate(licenseKey, 'hw-2');
    await receiver.next(({ payload }) => JSON.stringify(payload.data).includes('hw-2'));
    const devices = receiver
      .ofType('license.activated')
      .filter(({ payload }) => String(payload.data.id) === id)
      .map(({ payload }) => payload.data.device as unknown as { hardware_id: string });
    assert.deepEqual(devices.map((device) => device.hardware_id).sort(), ['hw-1', 'hw-2']);
  });

  it('its suspension, reinstatement and revocation, each with the status after it', async () => {
    const { id } = await gateway.createLicense();
    for (const [verb, type, status] of [
      ['suspend', 'license.suspended', 'suspended'],
      ['reinstate', 'license.reinstated', 'active'],
      ['revoke', 'license.revoked', 'revoked'],
    ] as const) {
      assert.equal(await change(gateway, id, verb), 200);
      assert.equal((await event(type, id)).payload.data.status, status);
    }
  });

  it('nothing where nothing changed, or the change was refused', async () => {
    const { id } = await gateway.createLicense();
    await event('license.created', id);
    assert.equal(await change(gateway, id, 'reinstate'), 200);
    assert.equal(await change(gateway, id, { tier: 'no-such-tier' }), 400);
    assert.equal(await change(gateway, id, 'revoke'), 200);
    assert.equal(await change(gateway, id, 'revoke'), 200);
    assert.equal(await change(gateway, id, 'suspend'), 409);
    await event('license.revoked', id);
    const rows = (await deliveriesOf(gateway)).filter(({ event: of }) => of.license === id);
    assert.deepEqual(rows.map((row) => row.event.type).sort(), ['license.created', 'license.revoked']);
  });

  it('and is shown as delivered, with the status that it was answered with', async () => {
    const { id } = await gateway.createLicense();
    const one = await event('license.created', id);
    const [delivery] = await deliveriesOf(gateway, `event=${one.id}`);
    assert.equal(delivery?.event.license, id);
    assert.deepEqual(delivery.event.payload, one.payload as never);
    assert.match(await gateway.metrics(), /licensify_webhook_attempts_total\{outcome="delivered"\} [1-9]/);
  });
});
