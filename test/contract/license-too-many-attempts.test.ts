import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';

const UNKNOWN = 'LIC-00000-00000-00000-00000-00000';

function present(
  gateway: TestGateway,
  from: string,
  licenseKey: string,
  { path = '/activate', hardwareId = 'hw-1' } = {},
): Promise<JsonAnswer> {
  const body = { license_key: licenseKey, hardware_id: hardwareId };
  return gateway.request(path, { headers: { 'x-forwarded-for': from }, body });
}

for (const counters of ['redis', 'memory'] as const) {
  it(`an address waits after ten unknown license keys, on every license endpoint (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters, env: { TRUST_PROXY: '1' } });
    t.after(() => gateway.close());
    const { licenseKey } = await gateway.createLicense();
    const paths = ['/activate', '/deactivate', '/check', '/activate', '/check'];
    for (const path of [...paths, ...paths]) {
      assert.equal((await present(gateway, '192.0.2.1', UNKNOWN, { path })).status, 401, path);
    }
    for (const path of paths) {
      const answer = await present(gateway, '192.0.2.1', licenseKey, { path });
      assert.deepEqual([answer.status, answer.body.code], [429, 'too_many_attempts'], path);
      const seconds = Number(answer.headers.get('retry-after'));
      assert.ok(Number.isInteger(seconds) && seconds > 0 && seconds <= 600, `${seconds} s`);
    }
    assert.equal((await present(gateway, '192.0.2.2', licenseKey)).status, 200, 'another address');
  });

  it(`of 60 unknown keys at the same time ten are told so (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters });
    t.after(() => gateway.close());
    const paths = ['/activate', '/deactivate', '/check'];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => present(gateway, '', UNKNOWN, { path: paths[i % 3] ?? '' })),
    );
    const waits = answers.filter(({ status }) => status === 429);
    assert.equal(answers.filter(({ status }) => status === 401).length, 10);
    assert.equal(waits.length, 50);
    assert.ok(waits.every(({ headers }) => Number(headers.get('retry-after')) > 0));
  });

  it(`the addresses of one IPv6 network count as one (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters, env: { TRUST_PROXY: '1' } });
    t.after(() => gateway.close());
    for (let host = 1; host <= 10; host += 1) {
      assert.equal((await present(gateway, `2001:db8:1:2::${host}`, UNKNOWN)).status, 401);
    }
    assert.equal((await present(gateway, '2001:db8:1:2:ffff::1', UNKNOWN)).status, 429);
    assert.equal((await present(gateway, '2001:db8:1:3::1', UNKNOWN)).status, 401);
    assert.equal((await present(gateway, '::ffff:192.0.2.7', UNKNOWN)).status, 401);
  });
}

it('refusals of known licenses do not count: full, expired, suspended, not activated', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const full = await gateway.device({ max_activations: 1 });
  const expired = await gateway.createLicense({ expires_at: '2020-01-01T00:00:00Z' });
  const suspended = await gateway.createLicense();
  await gateway.admin(`/licenses/${suspended.id}/suspend`, { method: 'POST' });
  const other = { hardwareId: 'hw-other' };
  for (let round = 0; round < 5; round += 1) {
    for (const { licenseKey } of [full, expired, suspended]) {
      assert.equal((await present(gateway, '', licenseKey, other)).status, 403);
    }
    const deactivate = { ...other, path: '/deactivate' };
    assert.equal((await present(gateway, '', full.licenseKey, deactivate)).status, 403);
  }
  assert.equal((await present(gateway, '', full.licenseKey, { hardwareId: 'hw-test' })).status, 200);
});

it('attempts at two gateways of one installation count together', async (t) => {
  const one = await startTestGateway();
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  for (let round = 0; round < 5; round += 1) {
    assert.equal((await present(one, '', UNKNOWN)).status, 401);
    assert.equal((await present(other, '', UNKNOWN)).status, 401);
  }
  assert.equal((await present(one, '', UNKNOWN)).status, 429);
  assert.equal((await present(other, '', UNKNOWN)).status, 429);
});
