import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DeviceError, LicenseError } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

describe('a key that is refused is renewed', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', env: { PROXY_KEY_GRACE_SECONDS: '0' } });
  });
  after(() => gateway.close());

  const activations = (): number => gateway.logLines().filter(({ path }) => path === '/activate').length;

  it('once, for any number of calls at the same time, and each of them is answered', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense();
    const client = device.start();
    await client.activate(licenseKey);
    await gateway.activate(licenseKey, 'hw-client'); // a rotation: the client's key is dead
    const before = activations();
    const calls = Array.from({ length: 30 }, () => client.call('openai', CHAT_AT, CHAT));
    const streams = Array.from({ length: 10 }, async () => {
      let text = '';
      for await (const piece of client.chat({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'Hello' }],
      }))
        text += piece;
      assert.match(text, /You said: Hello/);
    });
    await Promise.all([...calls, ...streams]);
    assert.equal(activations(), before + 1);
    await device.start().call('openai', CHAT_AT, CHAT);
    assert.equal(activations(), before + 1, 'what was kept is not the new key');
  });

  it('by what another process of the same device has kept meanwhile, without an activation', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense();
    const [one, other] = [device.start({ licenseKey }), device.start()];
    await one.call('openai', CHAT_AT, CHAT);
    await other.call('openai', CHAT_AT, CHAT);
    await other.activate(licenseKey);
    const before = activations();
    await one.call('openai', CHAT_AT, CHAT);
    assert.equal(activations(), before);
  });

  it('but not that of a revoked license: LicenseError', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense();
    const client = device.start();
    await client.activate(licenseKey);
    await client.call('openai', CHAT_AT, CHAT);
    await gateway.admin(`/licenses/${id}/revoke`, { method: 'POST' });
    const error = await client.call('openai', CHAT_AT, CHAT).catch((e: unknown) => e);
    assert.ok(error instanceof LicenseError);
    assert.deepEqual([error.status, error.code], [401, 'invalid_license_key']);
  });

  it('nor that of a suspended one, which it says and works again afterwards', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense();
    const client = device.start({ licenseKey });
    await client.call('openai', CHAT_AT, CHAT);
    await gateway.admin(`/licenses/${id}/suspend`, { method: 'POST' });
    await assert.rejects(client.call('openai', CHAT_AT, CHAT), {
      name: 'LicenseError',
      code: 'license_suspended',
    });
    await gateway.admin(`/licenses/${id}/reinstate`, { method: 'POST' });
    await client.call('openai', CHAT_AT, CHAT);
  });

  it('without a license key it cannot be, and the error says what to do', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense();
    await device.start({ keepLicenseKey: false }).activate(licenseKey);
    await gateway.activate(licenseKey, 'hw-client');
    const error = await device
      .start()
      .call('openai', CHAT_AT, CHAT)
      .catch((e: unknown) => e);
    assert.ok(error instanceof DeviceError);
    assert.equal(error.code, 'not_activated');
    assert.match(error.message, /no longer valid: call activate\(licenseKey\)/);
  });

  it('one caller that gives up does not end the renewal of the others', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense();
    const client = device.start();
    await client.activate(licenseKey);
    await gateway.activate(licenseKey, 'hw-client');
    const impatient = new AbortController();
    const calls = [
      client.call('openai', CHAT_AT, CHAT, { signal: impatient.signal }),
      client.call('openai', CHAT_AT, CHAT),
    ];
    setImmediate(() => impatient.abort());
    const [first, second] = await Promise.allSettled(calls);
    assert.equal(first?.status === 'rejected' && (first.reason as Error).name, 'AbortError');
    assert.equal(second?.status, 'fulfilled');
  });
});
