import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DeviceError, LicenseError } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

describe('the TypeScript client activates its device', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
  });
  after(() => gateway.close());

  const devicesOf = async (id: string): Promise<string[]> => {
    const { body } = await gateway.admin(`/licenses/${id}`);
    const { license } = body as unknown as { license: { devices: { hardware_id: string }[] } };
    return license.devices.map(({ hardware_id }) => hardware_id);
  };

  it('tells what the license holds, and keeps the key where only its user can read it', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'enterprise', name: 'Zoë' });
    const activation = await device.start().activate(` ${licenseKey}\n`);
    assert.deepEqual(activation, {
      tier: 'enterprise',
      customerName: 'Zoë',
      expiresAt: null,
      dailyLimit: null,
      monthlyLimit: null,
      maxActivations: 10,
      hardwareId: 'hw-client',
    });
    assert.equal(device.mode(), 0o600);
    assert.equal(statSync(dirname(device.keyFile)).mode & 0o777, 0o700);
    const kept = device.kept();
    assert.ok(/^px_[0-9A-Za-z]{40}$/.test(kept.proxy_key), 'what is kept is no proxy key');
    assert.ok(kept.license_key === licenseKey);
  });

  it('the next start of the application uses what is kept, and activates nothing', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense();
    await device.start().activate(licenseKey);
    const { proxy_key: before } = device.kept();
    await device.start().call('openai', CHAT_AT, CHAT);
    assert.ok(device.kept().proxy_key === before);
  });

  it('with a license key given, the first call activates, once for all that come at the same time', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense({ max_activations: 1 });
    const client = device.start({ licenseKey });
    const before = gateway.logLines().filter(({ path }) => path === '/activate').length;
    await Promise.all(Array.from({ length: 20 }, () => client.call('openai', CHAT_AT, CHAT)));
    assert.equal(gateway.logLines().filter(({ path }) => path === '/activate').length, before + 1);
    assert.deepEqual(await devicesOf(id), ['hw-client']);
  });

  it('without one it says that the device is not activated', async () => {
    using device = new ClientDevice(gateway);
    const error = await device
      .start()
      .call('openai', CHAT_AT, CHAT)
      .catch((e: unknown) => e);
    assert.ok(error instanceof DeviceError);
    assert.equal(error.code, 'not_activated');
    assert.match(error.message, /call activate\(licenseKey\)/);
  });

  it('keepLicenseKey: false keeps the license key off the disk', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense();
    const client = device.start({ keepLicenseKey: false });
    await client.activate(licenseKey);
    assert.deepEqual(Object.keys(device.kept()), ['version', 'url', 'hardware_id', 'proxy_key']);
    assert.equal((await client.check()).valid, true);
    await assert.rejects(device.start().check(), { name: 'DeviceError', code: 'not_activated' });
  });

  it('an unknown license key and a full license are told apart by type, and nothing is kept', async () => {
    using device = new ClientDevice(gateway);
    const unknown = await device
      .start()
      .activate('LIC-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA')
      .catch((e: unknown) => e);
    assert.ok(unknown instanceof LicenseError);
    assert.deepEqual([unknown.status, unknown.code], [401, 'invalid_license_key']);
    assert.match(unknown.requestId ?? '', /./);
    const { licenseKey } = await gateway.createLicense({ max_activations: 1 });
    await gateway.activate(licenseKey, 'another device');
    const full = await device
      .start()
      .activate(licenseKey)
      .catch((e: unknown) => e);
    assert.ok(full instanceof DeviceError);
    assert.deepEqual([full.status, full.code], [403, 'device_limit_reached']);
    assert.equal(device.isKept(), false);
  });

  it('a device that nobody names is the same at each start, also after its key is lost', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense({ max_activations: 1 });
    await device.startUnnamed().activate(licenseKey);
    const { hardware_id: name } = device.kept();
    assert.match(name, /^hw-[0-9a-f]{32}$/);
    device.lose();
    await device.startUnnamed().activate(licenseKey);
    assert.equal(device.kept().hardware_id, name);
    assert.deepEqual(await devicesOf(id), [name]);
  });
});
