import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestDevice, type TestGateway } from '../support/gateway.ts';

const EXPIRED = { error: 'The license has expired', code: 'license_expired' };
const SUSPENDED = { error: 'The license is suspended', code: 'license_suspended' };
const UNKNOWN = { error: 'Invalid license key', code: 'invalid_license_key' };

const clock = new FakeClock('2026-03-10T12:00:00Z');
let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ clock });
});
after(() => gateway.close());

function activate({ licenseKey }: Pick<TestDevice, 'licenseKey'>, hardwareId = 'hw-1'): Promise<JsonAnswer> {
  return gateway.request('/activate', { body: { license_key: licenseKey, hardware_id: hardwareId } });
}

function envelope({ proxyKey }: TestDevice): Promise<JsonAnswer> {
  const body = { proxy_key: proxyKey, provider: 'openai', body: { model: 'gpt-4o', messages: [] } };
  return gateway.request('/proxy/openai/v1/chat/completions', { body });
}

async function refusesEverywhere(device: TestDevice, status: number, body: object): Promise<void> {
  gateway.simulator.reset();
  for (const answer of [await activate(device), await activate(device, 'hw-2'), await envelope(device)]) {
    assert.equal(answer.status, status);
    assert.deepEqual(answer.body, body);
  }
  const headers = { 'x-api-key': device.proxyKey };
  const dropIn = await gateway.request('/proxy/anthropic/v1/messages', {
    headers,
    body: { model: 'claude' },
  });
  assert.equal(dropIn.status, status);
  assert.equal(gateway.simulator.requests.length, 0, 'nothing reached the provider');
}

it('an expired license is told so, from the moment on which it expires', async () => {
  const device = await gateway.device({ expires_at: '2026-03-11T00:00:00Z' }, 'hw-1');
  clock.set('2026-03-10T23:59:59.999Z');
  assert.equal((await envelope(device)).status, 200);
  clock.set('2026-03-11T00:00:00Z');
  await refusesEverywhere(device, 403, EXPIRED);
  const body = { expires_at: '2026-03-12T00:00:00Z' };
  await gateway.admin(`/licenses/${device.licenseId}`, { method: 'PATCH', body });
  assert.equal((await envelope(device)).status, 200, 'a prolonged one works at once');
});

it('a suspended license is told so, and a reinstated one works at once', async () => {
  const device = await gateway.device({}, 'hw-1');
  await gateway.admin(`/licenses/${device.licenseId}/suspend`, { method: 'POST' });
  await refusesEverywhere(device, 403, SUSPENDED);
  await gateway.admin(`/licenses/${device.licenseId}/reinstate`, { method: 'POST' });
  assert.equal((await envelope(device)).status, 200);
});

it('an unknown and a revoked license key are answered alike', async () => {
  const { licenseId, licenseKey } = await gateway.device({}, 'hw-1');
  await gateway.admin(`/licenses/${licenseId}/revoke`, { method: 'POST' });
  for (const path of ['/activate', '/deactivate', '/check']) {
    for (const key of [licenseKey, 'LIC-00000-00000-00000-00000-00000']) {
      const answer = await gateway.request(path, { body: { license_key: key, hardware_id: 'hw-1' } });
      assert.deepEqual([answer.status, answer.body], [401, UNKNOWN], path);
    }
  }
});
