import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { ProxyKeys } from '../../src/licensing/keys.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { chatStatus } from '../support/proxy-call.ts';

/** Keys that are of no use any more, each for another reason. */
async function deadKeys(gateway: TestGateway, clock: FakeClock): Promise<Record<string, string>> {
  const revoked = await gateway.device();
  const removed = await gateway.device();
  const deactivated = await gateway.device();
  const rotated = await gateway.device();
  for (const device of [revoked, removed, deactivated, rotated]) {
    assert.equal(await chatStatus(gateway, device.proxyKey), 200, 'it is in the memory of the gateway');
  }
  await gateway.activate(rotated.licenseKey, rotated.hardwareId);
  clock.advance(301_000);
  await gateway.admin(`/licenses/${revoked.licenseId}/revoke`, { method: 'POST' });
  await gateway.admin(`/licenses/${removed.licenseId}/devices/hw-test`, { method: 'DELETE' });
  const body = { license_key: deactivated.licenseKey, hardware_id: deactivated.hardwareId };
  await gateway.request('/deactivate', { body });
  const { knex } = gateway.gateway;
  const tag = await knex('installation')
    .where({ name: 'proxy-key-tag' })
    .first<{ value: Uint8Array }>('value');
  const keys = {
    'of a revoked license': revoked.proxyKey,
    'of a removed device': removed.proxyKey,
    'of a deactivated device': deactivated.proxyKey,
    'past its grace': rotated.proxyKey,
    'unknown, though it could have been issued': new ProxyKeys(Buffer.from(tag.value)).issue(),
    'never issued': new ProxyKeys(randomBytes(32)).issue(),
    'with a wrong checksum': `${revoked.proxyKey.slice(0, -6)}000000`,
    'of no such form': 'px_0',
  };
  for (const key of Object.values(keys)) if (key.length > 10) rememberSecret(key);
  return keys;
}

const forms: Record<string, (gateway: TestGateway, key: string) => Promise<JsonAnswer>> = {
  envelope: (gateway, key) =>
    gateway.request('/proxy/openai/v1/chat/completions', {
      body: { proxy_key: key, provider: 'openai', body: { model: 'gpt-4o' } },
    }),
  'drop-in for OpenAI': (gateway, key) =>
    gateway.request('/proxy/openai/v1/chat/completions', {
      headers: { authorization: `Bearer ${key}` },
      body: { model: 'gpt-4o' },
    }),
  'drop-in for Anthropic': (gateway, key) =>
    gateway.request('/proxy/anthropic/v1/messages', { headers: { 'x-api-key': key }, body: { model: 'x' } }),
};

for (const counters of ['redis', 'memory'] as const) {
  it(`every dead proxy key gets one and the same 401, byte for byte (${counters})`, async (t) => {
    const clock = new FakeClock('2026-03-10T12:00:00Z');
    const gateway = await startTestGateway({ counters, clock });
    t.after(() => gateway.close());
    const keys = await deadKeys(gateway, clock);
    gateway.simulator.reset();
    for (const [form, call] of Object.entries(forms)) {
      const seen = new Map<string, string>();
      for (const [kind, key] of Object.entries(keys)) {
        // Twice: the second answer comes from memory.
        for (let round = 0; round < 2; round += 1) {
          const { status, headers, text } = await call(gateway, key);
          assert.equal(status, 401, `${form}, a key ${kind}`);
          const names = [...headers.keys()].filter(
            (name) => !['date', 'x-licensify-request-id'].includes(name),
          );
          const values = names.map((name) => [name, headers.get(name)]);
          seen.set(JSON.stringify([status, values, text]), kind);
        }
      }
      assert.equal(seen.size, 1, `${form}: told apart: ${[...seen.values()].join(', ')}`);
    }
    assert.equal(gateway.simulator.requests.length, 0);
  });
}
