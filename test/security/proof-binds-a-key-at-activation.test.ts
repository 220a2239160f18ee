import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { hardwareIds } from '../support/admin-calls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chat, chatStatus } from '../support/proxy-call.ts';
import {
  activateWithKey,
  boundDevice,
  CHAT,
  newDeviceKey,
  send,
  sentenceOf,
  signingTiers,
  signMessage,
  stamp,
  stampHeaders,
  type TestKey,
} from '../support/signing.ts';

const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}';

/** Points of small order, and other spellings of them. */
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

describe('a public key at activation', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ tiers: signingTiers() });
  });
  after(() => gateway.close());

  const signedStatus = async (proxyKey: string, key: TestKey): Promise<number> => {
    const headers = { authorization: `Bearer ${proxyKey}`, ...signMessage({ key, body }) };
    return (await send(gateway, CHAT, { headers, body })).status;
  };

  it('binds the proxy key, in each of its spellings', async () => {
    const { licenseKey } = await gateway.createLicense();
    const spellings: ((key: TestKey) => string)[] = [
      ({ id }) => id,
      ({ id }) => `${id}=`,
      ({ id }) => Buffer.from(id, 'base64url').toString('base64'),
      ({ pem }) => pem,
      ({ pem }) => pem.replaceAll('\n', '\r\n'),
    ];
    for (const spell of spellings) {
      const key = newDeviceKey();
      const { answer, proxyKey } = await activateWithKey(gateway, licenseKey, 'hw', spell(key));
      assert.equal(answer.status, 200, answer.text);
      assert.equal((answer.body as { signing?: string }).signing, 'ed25519');
      assert.equal(await chatStatus(gateway, proxyKey), 401);
      assert.equal(await signedStatus(proxyKey, key), 200);
    }
  });

  it('that is none is refused, and takes no device’s place', async () => {
    const { id, licenseKey } = await gateway.createLicense();
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const ed25519 = generateKeyPairSync('ed25519').privateKey;
    const x25519 = generateKeyPairSync('x25519').publicKey;
    const wrong: unknown[] = [
      ...['', 'AAAA', 'A'.repeat(42), 'A'.repeat(44), 'not a key', 5, {}],
      rsa.export({ type: 'spki', format: 'pem' }),
      x25519.export({ type: 'spki', format: 'pem' }),
      // A private key must not be sent anywhere, even if a public one could be made of it.
      ed25519.export({ type: 'pkcs8', format: 'pem' }),
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'x'.repeat(2_000),
    ];
    for (const publicKey of wrong) {
      const { answer } = await activateWithKey(gateway, licenseKey, 'hw', publicKey);
      assert.equal(answer.status, 400, `${JSON.stringify(publicKey)}: ${answer.text}`);
      assert.match(sentenceOf(answer), /^public_key: /);
    }
    assert.deepEqual(await hardwareIds(gateway, id), []);
  });

  it('under which anybody could sign is refused', async () => {
    const { licenseKey } = await gateway.createLicense();
    for (const hex of smallOrder) {
      const publicKey = Buffer.from(hex, 'hex').toString('base64url');
      const { answer } = await activateWithKey(gateway, licenseKey, 'hw', publicKey);
      assert.equal(answer.status, 400, hex);
    }
  });

  it('of a new activation binds the new proxy key; that of before stays bound as it was', async () => {
    const { licenseKey } = await gateway.createLicense();
    const [first, second] = [newDeviceKey(), newDeviceKey()];
    const one = (await activateWithKey(gateway, licenseKey, 'hw', first.id)).proxyKey;
    const two = (await activateWithKey(gateway, licenseKey, 'hw', second.id)).proxyKey;
    assert.equal(await signedStatus(two, second), 200);
    assert.equal(await signedStatus(two, first), 401);
    assert.equal(await signedStatus(one, first), 200, 'it has its grace time');
    assert.equal(await signedStatus(one, second), 401);
    // Whoever has the license key may do without: docs/security.md.
    const three = await gateway.activate(licenseKey, 'hw');
    assert.equal(await chatStatus(gateway, three), 200);
    assert.equal(await chatStatus(gateway, two), 401, 'an activation frees no key of before');
  });

  it('works on the embedded database', async (t) => {
    const alone = await startTestGateway({ database: 'embedded', counters: 'memory' });
    t.after(() => alone.close());
    const key = newDeviceKey();
    const { proxyKey } = await boundDevice(alone, key);
    assert.equal(await chatStatus(alone, proxyKey), 401);
    const headers = { authorization: `Bearer ${proxyKey}`, ...signMessage({ key, body }) };
    assert.equal((await send(alone, CHAT, { headers, body })).status, 200);
  });

  it('is known to every instance', async (t) => {
    const other = await startTestGateway({ joins: gateway, tiers: signingTiers() });
    t.after(() => other.close());
    const key = newDeviceKey();
    const { proxyKey } = await boundDevice(gateway, key);
    assert.equal(await chatStatus(other, proxyKey), 401);
    const headers = { authorization: `Bearer ${proxyKey}`, ...signMessage({ key, body }) };
    assert.equal((await send(other, CHAT, { headers, body })).status, 200);
  });

  it('counts as the signature that a tier asks for', async () => {
    const key = newDeviceKey();
    const { proxyKey } = await boundDevice(gateway, key, { tier: 'signed' });
    assert.equal(await signedStatus(proxyKey, key), 200);
    const headers = { authorization: `Bearer ${proxyKey}`, ...stampHeaders(stamp(proxyKey, 'openai', body)) };
    assert.equal((await send(gateway, CHAT, { headers, body })).status, 401);
  });

  it('is a duty where the tier says so, for devices of before too', async () => {
    const { id, licenseKey } = await gateway.createLicense({ tier: 'bound' });
    for (const publicKey of [undefined, null]) {
      const { answer } = await activateWithKey(gateway, licenseKey, 'hw', publicKey);
      assert.equal(answer.status, 403);
      assert.equal((answer.body as { code?: string }).code, 'public_key_required');
    }
    assert.deepEqual(await hardwareIds(gateway, id), []);
    const key = newDeviceKey();
    const { proxyKey } = await activateWithKey(gateway, licenseKey, 'hw', key.id);
    assert.equal(await signedStatus(proxyKey, key), 200);

    const old = await gateway.device({ tier: 'pro' });
    assert.equal(await chatStatus(gateway, old.proxyKey), 200);
    await gateway.admin(`/licenses/${old.licenseId}`, { method: 'PATCH', body: { tier: 'bound' } });
    const refused = await chat(gateway, old.proxyKey);
    assert.equal(refused.status, 403, refused.text);
    assert.match(sentenceOf(refused), /activate with a "public_key"/);
  });
});
