import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { memoryStore } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice, type KeptFile } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { signingTiers } from '../support/signing.ts';

describe('the key of a device that the TypeScript client makes', () => {
  let gateway: TestGateway;
  before(async () => {
    const env = { PROXY_KEY_GRACE_SECONDS: '0' };
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory', env });
  });
  after(() => gateway.close());

  const isOther = (one: KeptFile, other: KeptFile): boolean =>
    one.proxy_key !== other.proxy_key &&
    one.private_key?.x !== other.private_key?.x &&
    one.private_key?.d !== other.private_key?.d;

  it('is kept beside the proxy key, for its user alone, and makes a stolen proxy key worth nothing', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'bound' });
    await device.start({ licenseKey }).call('openai', CHAT_AT, CHAT);
    assert.equal(device.mode(), 0o600);
    const kept = device.kept();
    assert.deepEqual(Object.keys(kept.private_key ?? {}), ['kty', 'crv', 'x', 'd']);
    assert.equal(kept.signing, 'ed25519');
    assert.equal(await chatStatus(gateway, kept.proxy_key), 401);
  });

  it('is another one after each activation, and each goes on with its own', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'bound' });
    const client = device.start();
    await client.activate(licenseKey);
    const first = device.kept();
    await client.activate(licenseKey);
    const second = device.kept();
    assert.ok(isOther(first, second), 'a key is still the same');
    await client.call('openai', CHAT_AT, CHAT);
    assert.equal(device.mode(), 0o600);

    // Another process of the device: the first finds its key refused, and what is kept in its place.
    await device.start().activate(licenseKey);
    const third = device.kept();
    await client.call('openai', CHAT_AT, CHAT);
    assert.ok(device.kept().proxy_key === third.proxy_key);
  });

  it('is renewed together with a proxy key that is refused, once for all calls', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'bound' });
    const client = device.start({ licenseKey });
    await client.call('openai', CHAT_AT, CHAT);
    const before = device.kept();
    using thief = new ClientDevice(gateway);
    await thief.start().activate(licenseKey, 'hw-client');
    const activations = (): number => gateway.logLines().filter(({ path }) => path === '/activate').length;
    const activated = activations();
    await Promise.all(Array.from({ length: 10 }, () => client.call('openai', CHAT_AT, CHAT)));
    assert.equal(activations(), activated + 1);
    assert.ok(isOther(before, device.kept()), 'a key is still the same');
  });

  it('is made on any tier with signing: ed25519, also for a device of before, and stays with auto', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'pro' });
    await device.start({ licenseKey }).call('openai', CHAT_AT, CHAT);
    assert.equal(device.kept().private_key, undefined);
    await device.start({ signing: 'ed25519' }).call('openai', CHAT_AT, CHAT);
    const bound = device.kept();
    assert.equal(await chatStatus(gateway, bound.proxy_key), 401);
    await device.start().activate(licenseKey);
    assert.ok(isOther(bound, device.kept()), 'a key is still the same');
    assert.notEqual(device.kept().private_key, undefined, 'an activation has undone the binding');
    await device.start().call('openai', CHAT_AT, CHAT);

    await device.start({ keepLicenseKey: false, signing: 'none' }).activate(licenseKey);
    await assert.rejects(device.start({ signing: 'ed25519' }).check(), {
      code: 'not_activated',
      message: /not activated with a key of its own: call activate/,
    });
  });

  it('damaged is told, and made anew by an activation; in a store of one’s own it is a text', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'bound' });
    await device.start().activate(licenseKey);
    const kept = device.kept();
    const { d = '' } = kept.private_key ?? {};
    for (const wrong of [{ d: 5 }, { crv: 'X25519' }, { d: d.slice(1) }, { d: '' }]) {
      device.write(JSON.stringify({ ...kept, private_key: { ...kept.private_key, ...wrong } }));
      await assert.rejects(
        device.start().call('openai', CHAT_AT, CHAT),
        (error: Error & { code?: string }) => {
          assert.deepEqual([error.name, error.code], ['StoreError', 'store_damaged']);
          assert.match(error.message, /activate again/);
          return !error.message.includes(d);
        },
      );
    }
    await device.start().activate(licenseKey);
    await device.start().call('openai', CHAT_AT, CHAT);

    const store = memoryStore();
    await device.start({ store, licenseKey }).call('openai', CHAT_AT, CHAT);
    await device.start({ store }).call('openai', CHAT_AT, CHAT);
  });
});
