import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DeviceError, StoreError, type Licensify } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const call = (client: Licensify): Promise<unknown> => client.call('openai', CHAT_AT, CHAT);
const failure = (client: Licensify): Promise<unknown> => call(client).catch((error: unknown) => error);

const damages = {
  'cut short': (text: string) => text.slice(0, 60),
  empty: () => '',
  'of another form': () => '{"version": 2}',
  'no JSON': () => 'px_secret',
};

describe('trouble with the file that keeps the key', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
  });
  after(() => gateway.close());

  async function activated(licenseKey: string): Promise<ClientDevice> {
    const device = new ClientDevice(gateway);
    await device.start().activate(licenseKey);
    return device;
  }

  it('lost: it says so, and activating again, or a license key at hand, repairs it', async () => {
    const { licenseKey } = await gateway.createLicense();
    using device = await activated(licenseKey);
    device.lose();
    const error = await failure(device.start());
    assert.ok(error instanceof DeviceError);
    assert.equal(error.code, 'not_activated');
    await call(device.start({ licenseKey }));
    await call(device.start());
    device.lose();
    await device.start().activate(licenseKey);
    await call(device.start());
  });

  for (const mode of [0o644, 0o640, 0o604, 0o666]) {
    it(`open to others (${mode.toString(8)}): it is not used, and stays as it is`, async () => {
      const { licenseKey } = await gateway.createLicense();
      using device = await activated(licenseKey);
      const before = device.kept();
      device.setMode(mode);
      const error = await failure(device.start());
      assert.ok(error instanceof StoreError);
      assert.equal(error.code, 'store_open_to_others');
      assert.ok(error.message.includes(`${device.keyFile} holds a secret`));
      assert.match(error.message, new RegExp(`mode 0${mode.toString(8)}.*chmod 600`));
      assert.ok(device.kept().proxy_key === before.proxy_key);
      assert.equal(device.mode(), mode);

      device.setMode(0o600);
      await call(device.start());
      device.setMode(mode);
      await device.start().activate(licenseKey);
      assert.equal(device.mode(), 0o600);
      assert.ok(device.kept().proxy_key !== before.proxy_key, 'it has no new key');
    });
  }

  for (const [name, damage] of Object.entries(damages)) {
    it(`${name}: it says so, and activating again, or a license key at hand, repairs it`, async () => {
      const { licenseKey } = await gateway.createLicense();
      using device = await activated(licenseKey);
      const damaged = damage(JSON.stringify(device.kept()));
      device.write(damaged);
      const error = await failure(device.start());
      assert.ok(error instanceof StoreError);
      assert.equal(error.code, 'store_damaged');
      assert.match(error.message, /damaged: activate again/);
      assert.ok(!error.message.includes('px_'), 'the error quotes a key');
      await call(device.start({ licenseKey }));
      await call(device.start());
      device.write(damaged);
      await device.start().activate(licenseKey);
      await call(device.start());
    });
  }

  it('that cannot be written: the call tells it, and the key works as long as the process lives', async () => {
    const { licenseKey } = await gateway.createLicense();
    using device = new ClientDevice(gateway);
    const broken = {
      get: () => Promise.resolve(undefined),
      set: () => Promise.reject(new StoreError('the disk is full', { code: 'store_unusable' })),
      delete: () => Promise.resolve(),
    };
    const client = device.start({ store: broken });
    await assert.rejects(client.activate(licenseKey), { name: 'StoreError', message: 'the disk is full' });
    await call(client);
  });

  it('of another gateway is another file', async () => {
    const { licenseKey } = await gateway.createLicense();
    using device = await activated(licenseKey);
    const elsewhere = device.start({ url: gateway.url.replace('127.0.0.1', 'localhost') });
    await assert.rejects(call(elsewhere), { code: 'not_activated' });
  });
});
