import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CHAT, CHAT_AT, ClientDevice } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { PythonClient } from '../support/python-client.ts';
import { assertOnlyRealKeysIn } from '../support/sdk-stage.ts';
import { signingTiers } from '../support/signing.ts';

const CALL = ['openai', CHAT_AT, CHAT];
const messages = [{ role: 'user', content: 'Grüß Gott 🌍' }];

describe('the Python client signs as its tier asks', () => {
  let gateway: TestGateway;
  before(async () => {
    const env = { PROXY_KEY_GRACE_SECONDS: '0' };
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory', env });
  });
  after(() => gateway.close());

  const count = (outcome: string): number =>
    gateway.logLines().filter((line) => line.outcome === outcome).length;
  const activations = (): number => gateway.logLines().filter(({ path }) => path === '/activate').length;

  for (const [tier, signing] of [
    ['pro', undefined],
    ['signed', 'hmac-sha256'],
    ['bound', 'ed25519'],
  ] as const) {
    it(`${tier}: plain, streamed, at the next start, the same in many threads; in the same file as TypeScript`, async (t) => {
      using device = new ClientDevice(gateway);
      const { licenseKey } = await gateway.createLicense({ tier });
      await using python = await PythonClient.start(t, device, { license_key: licenseKey });
      if (python === undefined) return;
      const refused = count('invalid_signature');
      assert.equal((await python.do('call', CALL)).error, undefined);
      const kept = device.kept();
      assert.deepEqual(
        [kept.signing, kept.private_key?.crv],
        [signing, tier === 'bound' ? 'Ed25519' : undefined],
      );
      assert.equal(device.mode(), 0o600);
      assert.equal(await chatStatus(gateway, kept.proxy_key), tier === 'pro' ? 200 : 401);

      await python.make(device);
      const activated = activations();
      assert.deepEqual(await python.inThreads(12, 'call', CALL), []);
      for (const [model, provider] of [
        ['gpt-4o', {}],
        ['claude-3-5-haiku-latest', { provider: 'anthropic' }],
      ] as const) {
        const { items, error } = await python.do('chat', [model, messages], provider);
        assert.equal(error, undefined);
        assert.equal(items.join(''), 'You said: Grüß Gott 🌍');
      }
      const spaced = `\n {"model": "gpt-4o", "messages": [{"role":"user","content":"ü"}] }\t\n`;
      assert.equal((await python.do('call', ['openai', `${CHAT_AT}?a=%2F&b=c?`, spaced])).error, undefined);
      assert.equal(gateway.simulator.requests.at(-1)?.body.toString(), spaced.trim());

      await device.start().call('openai', CHAT_AT, CHAT);
      assert.equal(activations(), activated);
      assert.equal(count('invalid_signature') - refused, tier === 'pro' ? 0 : 1, 'besides our own attempt');
      await device.start().activate(licenseKey);
      const other = device.kept();
      assert.equal((await python.do('call', CALL)).error, undefined);
      assert.ok(device.kept().proxy_key === other.proxy_key);
      assertOnlyRealKeysIn(gateway.simulator.requests);
    });
  }

  it('an activation makes another key, and a device that is bound stays so', async (t) => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'pro' });
    await using python = await PythonClient.start(t, device, { license_key: licenseKey, signing: 'ed25519' });
    if (python === undefined) return;
    assert.equal((await python.do('call', CALL)).error, undefined);
    const before = device.kept();
    await python.make(device);
    await python.do('activate', [licenseKey]);
    const after = device.kept();
    assert.notEqual(after.private_key, undefined);
    assert.ok(after.private_key?.d !== before.private_key?.d, 'the key is still the same');
    assert.equal((await python.do('call', CALL)).error, undefined);
    assert.equal((await python.do('openai_kwargs')).error?.code, 'signing_required');
  });

  for (const tier of ['signed', 'bound']) {
    it(`a wrong clock is corrected by the server's, once (${tier})`, async (t) => {
      using device = new ClientDevice(gateway);
      const { licenseKey } = await gateway.createLicense({ tier });
      const options = { license_key: licenseKey, clock_ahead: -86_400 };
      await using python = await PythonClient.start(t, device, options);
      if (python === undefined) return;
      const refused = count('invalid_signature');
      assert.equal((await python.do('call', CALL)).error, undefined);
      assert.equal(count('invalid_signature'), refused + 1, 'the clock was not wrong: this proves nothing');
      assert.equal((await python.do('chat', ['gpt-4o', messages])).error, undefined);
      assert.equal(count('invalid_signature'), refused + 1);
    });
  }

  it('a tier that comes to ask for it is understood; what else is refused has its reason and costs no key', async (t) => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense({ tier: 'pro' });
    await using python = await PythonClient.start(t, device, { license_key: licenseKey });
    if (python === undefined) return;
    assert.equal((await python.do('call', CALL)).error, undefined);
    const { proxy_key: before } = device.kept();
    const refused = count('invalid_signature');
    await gateway.admin(`/licenses/${id}`, { method: 'PATCH', body: { tier: 'signed' } });
    for (let start = 0; start < 2; start += 1) {
      assert.equal((await python.do('call', CALL)).error, undefined);
      await python.make(device);
    }
    assert.equal(count('invalid_signature'), refused + 1);
    assert.ok(device.kept().proxy_key === before);

    await python.make(device, { signing: 'none' });
    const activated = activations();
    const { error } = await python.do('call', CALL);
    assert.deepEqual([error?.type, error?.status, error?.code], ['SignatureError', 401, 'invalid_signature']);
    assert.match(error?.message ?? '', /^Invalid signature\. The request has to be signed/);
    assert.equal(activations(), activated);

    await gateway.admin(`/licenses/${id}`, { method: 'PATCH', body: { tier: 'bound' } });
    const unbound = await python.do('call', CALL);
    assert.deepEqual([unbound.error?.type, unbound.error?.code], ['DeviceError', 'public_key_required']);
    await python.make(device);
    assert.equal((await python.do('call', CALL)).error, undefined);
    assert.equal(device.kept().private_key?.crv, 'Ed25519');
    assert.equal((await python.make(device, { signing: 'rsa' })).error?.code, 'invalid_signing');
  });
});
