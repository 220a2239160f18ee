import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { after, before, describe, it } from 'node:test';
import { DeviceError, SignatureError } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { signingTiers } from '../support/signing.ts';

const messages = [{ role: 'user' as const, content: 'Hello' }];
const claude = { model: 'claude-3-5-haiku-latest', max_tokens: 100, messages };

describe('a signature that is refused', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory' });
  });
  after(() => gateway.close());

  const count = (outcome: string): number =>
    gateway.logLines().filter((line) => line.outcome === outcome).length;
  const activations = (): number => gateway.logLines().filter(({ path }) => path === '/activate').length;
  const changeTier = (id: string, tier: string): Promise<unknown> =>
    gateway.admin(`/licenses/${id}`, { method: 'PATCH', body: { tier } });

  for (const tier of ['signed', 'bound']) {
    for (const ahead of [-86_400_000, 3_600_000]) {
      it(`for the clock (${ahead / 1_000} s, tier "${tier}") is made again once with the server's time, which is then known`, async () => {
        using device = new ClientDevice(gateway);
        const { licenseKey } = await gateway.createLicense({ tier });
        const client = device.start({ now: () => Date.now() + ahead });
        await client.activate(licenseKey);
        const [refused, activated] = [count('invalid_signature'), activations()];
        await client.call('openai', CHAT_AT, CHAT);
        assert.equal(count('invalid_signature'), refused + 1, 'the clock was not wrong: this proves nothing');
        await client.call('openai', CHAT_AT, CHAT);
        await new OpenAI(await client.openai()).chat.completions.create({ model: 'gpt-4o', messages });
        assert.equal(count('invalid_signature'), refused + 1);
        const other = device.start({ now: () => Date.now() + ahead });
        await new Anthropic(await other.anthropic()).messages.create(claude);
        assert.equal(count('invalid_signature'), refused + 2);
        assert.equal(activations(), activated);
      });
    }
  }

  it('for another reason is told at once, with the reason, and costs no key', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ tier: 'bound' });
    await device.start().activate(licenseKey);
    const { private_key: own, ...rest } = device.kept();
    assert.ok(own !== undefined);
    using another = new ClientDevice(gateway);
    await another.start().activate(licenseKey, 'another');
    device.write(JSON.stringify({ ...rest, private_key: another.kept().private_key }));
    const [refused, activated] = [count('invalid_signature'), activations()];
    const client = device.start();
    const error = await client.call('openai', CHAT_AT, CHAT).catch((e: unknown) => e);
    assert.ok(error instanceof SignatureError);
    assert.deepEqual([error.status, error.code], [401, 'invalid_signature']);
    assert.match(error.message, /^Invalid signature\. Its keyid is not the public key/);
    assert.match(error.requestId ?? '', /./);
    const [openai, anthropic] = [new OpenAI(await client.openai()), new Anthropic(await client.anthropic())];
    await assert.rejects(
      openai.chat.completions.create({ model: 'gpt-4o', messages }),
      OpenAI.AuthenticationError,
    );
    await assert.rejects(anthropic.messages.create(claude), Anthropic.AuthenticationError);
    assert.equal(count('invalid_signature'), refused + 3);
    assert.equal(activations(), activated);
  });

  it('or missing, as the tier has come to ask for it, is made from then on, also after a start', async () => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense({ tier: 'pro' });
    const client = device.start({ licenseKey });
    await client.call('openai', CHAT_AT, CHAT);
    const { proxy_key: before } = device.kept();
    await changeTier(id, 'signed');
    const refused = count('invalid_signature');
    await client.call('openai', CHAT_AT, CHAT);
    await new Anthropic(await client.anthropic()).messages.create(claude);
    await device.start().call('openai', CHAT_AT, CHAT);
    assert.equal(count('invalid_signature'), refused + 1);
    assert.ok(device.kept().proxy_key === before);
    assert.equal(device.mode(), 0o600);
  });

  for (const [name, call] of Object.entries({
    'an envelope': (client) => client.call('openai', CHAT_AT, CHAT),
    'OpenAI’s SDK': async (client) =>
      await new OpenAI(await client.openai()).chat.completions.create({ model: 'gpt-4o', messages }),
    'Anthropic’s SDK': async (client) =>
      await new Anthropic(await client.anthropic()).messages.create(claude),
  } satisfies Record<string, (client: ReturnType<ClientDevice['start']>) => Promise<unknown>>)) {
    it(`where the tier has come to ask for proof of possession, ${name} has the device bind a key`, async () => {
      using device = new ClientDevice(gateway);
      const { licenseKey, id } = await gateway.createLicense({ tier: 'pro' });
      const client = device.start({ licenseKey });
      await client.call('openai', CHAT_AT, CHAT);
      assert.equal(device.kept().private_key, undefined);
      await changeTier(id, 'bound');
      await call(client);
      assert.equal(device.kept().private_key?.crv, 'Ed25519');
      assert.equal(device.mode(), 0o600);
    });
  }

  it('with signing: none and hmac the client does what it was told, and says what the tier asks for', async () => {
    using device = new ClientDevice(gateway);
    const signed = await gateway.createLicense({ tier: 'signed' });
    const unsigned = device.start({ licenseKey: signed.licenseKey, signing: 'none' });
    const activated = activations();
    const error = await unsigned.call('openai', CHAT_AT, CHAT).catch((e: unknown) => e);
    assert.ok(error instanceof SignatureError);
    assert.match(error.message, /has to be signed/);
    assert.equal(activations(), activated + 1);
    const { licenseKey } = await gateway.createLicense({ tier: 'bound' });
    for (const signing of ['none', 'hmac'] as const) {
      const refused = await device
        .start({ signing })
        .activate(licenseKey)
        .catch((e: unknown) => e);
      assert.ok(refused instanceof DeviceError);
      assert.deepEqual([refused.status, refused.code], [403, 'public_key_required']);
    }
    assert.throws(() => device.start({ signing: 'rsa' as 'hmac' }), { code: 'invalid_signing' });
  });
});
