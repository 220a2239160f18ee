import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CHAT, CHAT_AT, ClientDevice } from '../support/client-stage.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

describe('the license endpoints through the TypeScript client', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', clock: new FakeClock('2026-11-22T12:00:00Z') });
  });
  after(() => gateway.close());

  it('check() tells the state of the license and counts nothing', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense({
      daily_limit: 5,
      expires_at: '2026-12-31T00:00:00Z',
    });
    const client = device.start({ licenseKey });
    await client.call('openai', CHAT_AT, CHAT);
    const state = {
      valid: true,
      reason: undefined,
      tier: 'pro',
      expiresAt: new Date('2026-12-31T00:00:00Z'),
      usageToday: 1,
      dailyLimit: 5,
      usageThisMonth: 1,
      monthlyLimit: 30_000,
      resetAt: new Date('2026-11-23T00:00:00Z'),
    };
    assert.deepEqual(await client.check(), state);
    await gateway.admin(`/licenses/${id}/suspend`, { method: 'POST' });
    assert.deepEqual(await client.check(), { ...state, valid: false, reason: 'license_suspended' });
  });

  it('deactivate() frees the place, forgets the key, and is no error twice', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ max_activations: 1 });
    const client = device.start();
    await client.activate(licenseKey);
    await client.deactivate();
    assert.equal(device.isKept(), false);
    await assert.rejects(client.call('openai', CHAT_AT, CHAT), { code: 'not_activated' });
    await gateway.activate(licenseKey, 'another device');

    using removed = new ClientDevice(gateway);
    const other = removed.start({ hardwareId: 'another device' });
    await other.activate(licenseKey);
    await gateway.request('/deactivate', {
      body: { license_key: licenseKey, hardware_id: 'another device' },
    });
    await other.deactivate();
    assert.equal(removed.isKept(), false);
  });

  it('tiers() needs no activation', async () => {
    using device = new ClientDevice(gateway);
    const tiers = await device.start().tiers();
    assert.deepEqual(
      tiers.map(({ id, dailyLimit, monthlyLimit, maxDevices }) => [id, dailyLimit, monthlyLimit, maxDevices]),
      [
        ['free', 10, 100, 1],
        ['pro', 1_000, 30_000, 3],
        ['enterprise', null, null, 10],
      ],
    );
  });

  it('quota is what the last answer said', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ daily_limit: 3 });
    const client = device.start({ licenseKey });
    for (const remaining of [2, 1, 0]) {
      await client.call('openai', CHAT_AT, CHAT);
      assert.deepEqual(client.quota, { limit: 3, remaining, resetAt: new Date('2026-11-23T00:00:00Z') });
    }
  });

  it('in direct mode key() is the protected key, and openai() says what to do', async () => {
    const direct = await startTestGateway({
      joins: gateway,
      env: { PROXY_MODE: 'false', PROTECTED_API_KEY: 'sk-protected-1' },
    });
    try {
      using device = new ClientDevice(direct);
      const { licenseKey } = await gateway.createLicense();
      const client = device.start({ licenseKey });
      assert.equal(await client.key(), 'sk-protected-1');
      await assert.rejects(client.openai(), /use key\(\) as its API key/);
    } finally {
      await direct.close();
    }
  });
});
