import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import {
  keyOf,
  newMasterKey,
  newOpenAiKey,
  openaiOf,
  removeKey,
  setKey,
  type AdminProvider,
} from '../support/provider-admin.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { OPENAI_KEY } from '../support/simulator/simulator.ts';
import { openStream } from '../support/open-stream.ts';

function fingerprint(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}

for (const shape of [
  { counters: 'redis', database: 'postgres' },
  { counters: 'memory', database: 'embedded' },
] as const) {
  describe(`a provider key that an administrator sets (${shape.database})`, () => {
    const key = newOpenAiKey();
    let gateway: TestGateway;
    let device: TestDevice;
    before(async () => {
      gateway = await startTestGateway({ ...shape, env: { MASTER_KEY: newMasterKey() } });
      device = await gateway.device();
      gateway.simulator.setKeys('openai', [OPENAI_KEY, key]);
    });
    after(() => gateway.close());

    it('is used in place of the settings, and told by its fingerprint alone', async () => {
      const configured = await openaiOf(gateway);
      assert.deepEqual(
        [configured.source, configured.fingerprint, configured.replaces],
        ['environment', fingerprint(OPENAI_KEY), null],
      );
      const answer = await setKey(gateway, key);
      assert.equal(answer.status, 200, answer.text);
      const { provider } = answer.body as unknown as { provider: AdminProvider };
      assert.deepEqual(await openaiOf(gateway), provider);
      assert.deepEqual([provider.source, provider.fingerprint], ['admin', fingerprint(key)]);
      assert.deepEqual(provider.replaces, { source: 'environment', fingerprint: fingerprint(OPENAI_KEY) });
      assert.ok(Math.abs(Date.parse(provider.since ?? '') - Date.now()) < 10_000);
      assert.ok(!answer.text.includes(key.slice(0, 16)));
      assert.equal(await chatStatus(gateway, device.proxyKey), 200);
      assert.equal(keyOf(gateway.simulator.requests.at(-1)), key);
      const line = `licensify_provider_key_info{provider="openai",fingerprint="${fingerprint(key)}",source="admin"} 1`;
      assert.ok((await gateway.metrics()).includes(line));
    });

    it('is kept encrypted', async () => {
      const [row] = await gateway.gateway.knex('provider_keys').select<{ sealed: Uint8Array }[]>();
      const text = Buffer.from(row?.sealed ?? []).toString('latin1');
      assert.ok(text.length > key.length);
      assert.ok(!text.includes(key.slice(0, 12)));
    });

    it('tells when the provider refused it, and how often that was', async () => {
      gateway.simulator.setKeys('openai', [OPENAI_KEY]);
      assert.equal(await chatStatus(gateway, device.proxyKey), 502);
      await eventually(async () => {
        const { last_refused_at: at } = await openaiOf(gateway);
        assert.ok(Math.abs(Date.parse(at ?? '') - Date.now()) < 10_000);
      }, 5_000);
      assert.match(
        await gateway.metrics(),
        /licensify_upstream_errors_total\{provider="openai",kind="auth"\} 1/,
      );
    });

    it('gives way to the settings when it is removed, and a second time there is none', async () => {
      const answer = await removeKey(gateway);
      assert.equal(answer.status, 200, answer.text);
      const openai = await openaiOf(gateway);
      assert.deepEqual([openai.source, openai.fingerprint], ['environment', fingerprint(OPENAI_KEY)]);
      assert.equal(openai.last_refused_at, null, 'it was the other key that was refused');
      assert.equal(await chatStatus(gateway, device.proxyKey), 200);
      assert.equal(keyOf(gateway.simulator.requests.at(-1)), OPENAI_KEY);
      const again = await removeKey(gateway);
      assert.deepEqual([again.status, again.body.code], [404, 'not_found']);
    });

    it('is in the audit by its fingerprints', async () => {
      const { data } = (await gateway.admin('/audit')).body as unknown as {
        data: { action: string; target: string; before: object | null; after: object | null }[];
      };
      const entries = data.filter(({ target }) => target === 'openai');
      const fingerprints = { fingerprint: fingerprint(key) };
      assert.deepEqual(
        entries.map(({ action, before, after }) => ({ action, before, after })),
        [
          { action: 'provider.key_removed', before: fingerprints, after: null },
          { action: 'provider.key_set', before: null, after: fingerprints },
        ],
      );
    });
  });
}

describe('setting a provider key', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ env: { OPENAI_API_KEY: undefined, MASTER_KEY: newMasterKey() } });
  });
  after(() => gateway.close());

  it('gives a provider that had none its first, and taking it away takes the provider away', async () => {
    const { proxyKey } = await gateway.device();
    assert.equal((await openaiOf(gateway)).configured, false);
    assert.equal(await chatStatus(gateway, proxyKey), 503);
    assert.equal((await setKey(gateway, OPENAI_KEY)).status, 200);
    assert.equal(await chatStatus(gateway, proxyKey), 200);
    assert.equal((await removeKey(gateway)).status, 200);
    assert.equal(await chatStatus(gateway, proxyKey), 503);
  });

  it('lets a stream that began with the key before end with it', async () => {
    const [first, second] = [newOpenAiKey(), newOpenAiKey()];
    gateway.simulator.setKeys('openai', [first, second]);
    const device = await gateway.device();
    await setKey(gateway, first);
    const { promise: until, resolve: goOn } = Promise.withResolvers<undefined>();
    gateway.simulator.behave({ until });
    const stream = await openStream(gateway, device, { simulate: 'chunks=4' });
    assert.equal((await setKey(gateway, second)).status, 200);
    gateway.simulator.setKeys('openai', [second]);
    assert.equal(await chatStatus(gateway, device.proxyKey), 200);
    assert.ok(stream.isOpen());
    goOn(undefined);
    assert.equal((await stream.over).cut, false);
    const used = gateway.simulator.requests.slice(-2).map(keyOf);
    assert.deepEqual(used, [first, second]);
  });

  it('refuses what is no key, quoting none of it', async () => {
    for (const key of [
      undefined,
      null,
      7,
      '',
      'short',
      'sk-with a space',
      'sk-ümlaut-ümlaut',
      'x'.repeat(1_001),
    ]) {
      const { status, body, text } = await setKey(gateway, key);
      assert.deepEqual([status, body.code], [400, 'invalid_request'], text);
      if (typeof key === 'string' && key !== '') assert.ok(!text.includes(key));
    }
    const unknown = await setKey(gateway, newOpenAiKey(), 'constructor');
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'unknown_provider']);
  });
});

it('without MASTER_KEY nothing is stored, and the answer says what to do', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const { status, body } = await setKey(gateway, newOpenAiKey());
  assert.deepEqual([status, body.code], [503, 'master_key_not_configured']);
  assert.match(String(body.error), /set MASTER_KEY on every instance/);
  const rotated = await gateway.admin('/master-key/rotate', { method: 'POST' });
  assert.deepEqual([rotated.status, rotated.body.code], [503, 'master_key_not_configured']);
});
