import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody, change, type AdminLicense } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = new FakeClock('2026-03-10T12:00:00Z');
let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ clock });
});
after(() => gateway.close());

async function patch(id: string, body: unknown): Promise<AdminLicense> {
  const answer = await gateway.admin(`/licenses/${id}`, { method: 'PATCH', body });
  assert.equal(answer.status, 200, answer.text);
  return adminBody(answer).license;
}

it('each field changes alone, and the rest stays', async () => {
  const { id } = await gateway.createLicense({ daily_limit: 5 });
  let expected = adminBody(await gateway.admin(`/licenses/${id}`)).license as AdminLicense;
  const steps: [body: object, now: Partial<AdminLicense>][] = [
    [{ email: 'new@example.com' }, { email: 'new@example.com' }],
    [{ name: ' New ' }, { name: 'New' }],
    [{ tier: 'enterprise' }, { tier: 'enterprise', monthly_limit: -1, max_activations: 10 }],
    [{ expires_at: '2027-01-01T00:00:00Z' }, { expires_at: '2027-01-01T00:00:00.000Z' }],
    [{ expires_at: null }, { expires_at: null }],
  ];
  for (const [body, now] of steps) {
    clock.advance(1_000);
    const license = await patch(id, body);
    const [version, updatedAt] = [expected.version + 1, new Date(clock.now()).toISOString()];
    expected = { ...expected, ...now, version, updated_at: updatedAt };
    for (const name of Object.keys(license) as (keyof AdminLicense)[]) {
      assert.deepEqual(license[name], expected[name], `${name} after ${JSON.stringify(body)}`);
    }
  }
});

it('an override is set, and null gives the limit back to the tier', async () => {
  const { id } = await gateway.createLicense();
  const set = await patch(id, { daily_limit: 7, monthly_limit: -1, max_activations: 9 });
  assert.deepEqual(set.overrides, { daily_limit: 7, monthly_limit: -1, max_activations: 9 });
  assert.equal(set.daily_limit, 7);
  const unset = await patch(id, { daily_limit: null, monthly_limit: null, max_activations: null });
  assert.deepEqual(unset.overrides, { daily_limit: null, monthly_limit: null, max_activations: null });
  assert.deepEqual([unset.daily_limit, unset.monthly_limit, unset.max_activations], [1_000, 30_000, 3]);
});

it('what is wrong with a change is named, and nothing is changed', async () => {
  const { id } = await gateway.createLicense();
  const before = (await gateway.admin(`/licenses/${id}`)).text;
  for (const [body, names] of [
    [{}, /names nothing to change/],
    [{ dayly_limit: 5 }, /dayly_limit/],
    [{ daily_limit: 5, status: 'revoked' }, /status/],
    [{ daily_limit: -5 }, /^daily_limit: /],
    [{ tier: 'gold' }, /^tier: /],
    [{ email: null }, /^email: /],
    [[], /array/],
  ] as const) {
    const answer = await gateway.admin(`/licenses/${id}`, { method: 'PATCH', body });
    assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request'], JSON.stringify(body));
    assert.match(adminBody(answer).error, names);
  }
  assert.equal((await gateway.admin(`/licenses/${id}`)).text, before);
});

it('a license that is not there is 404 on every path, another method 405', async () => {
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['POST', '/suspend'],
    ['POST', '/reinstate'],
    ['POST', '/revoke'],
    ['GET', '/devices'],
    ['DELETE', '/devices/hw-1'],
  ] as const) {
    const body = method === 'PATCH' ? { name: 'x' } : undefined;
    const answer = await gateway.admin(`/licenses/lic_nobody${path}`, { method, body });
    assert.deepEqual([answer.status, adminBody(answer).code], [404, 'not_found'], `${method} ${path}`);
    assert.equal(adminBody(answer).error, 'License lic_nobody not found');
  }
  for (const [path, allow] of [
    ['/licenses', 'GET, POST'],
    ['/licenses/lic_1', 'GET, PATCH'],
    ['/licenses/lic_1/suspend', 'POST'],
    ['/licenses/lic_1/devices', 'GET'],
    ['/licenses/lic_1/devices/hw', 'DELETE'],
  ] as const) {
    const answer = await gateway.admin(path, { method: 'PUT' });
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, allow], path);
  }
  assert.equal((await gateway.admin('/nothing')).status, 404);
});

it('a change is in force for the next request', async () => {
  const { licenseId, licenseKey } = await gateway.device({ max_activations: 1 }, 'hw-1');
  const full = { license_key: licenseKey, hardware_id: 'hw-2' };
  assert.equal((await gateway.request('/activate', { body: full })).status, 403);
  assert.equal(await change(gateway, licenseId, { max_activations: 2 }), 200);
  assert.equal((await gateway.request('/activate', { body: full })).status, 200);
});
