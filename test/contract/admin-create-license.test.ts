import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';

const NOW = '2026-03-10T12:00:00.000Z';
let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ clock: new FakeClock(NOW) });
});
after(() => gateway.close());

const asked = { email: 'ada@example.com', name: '  Ada L.  ', tier: 'pro' };

it('a license is answered with all of it, and with its key, once', async () => {
  const answer = await gateway.admin('/licenses', { body: asked });
  assert.equal(answer.status, 201);
  const { license, license_key: licenseKey } = adminBody(answer);
  rememberSecret(licenseKey);
  assert.match(license.id, /^lic_[0-9a-z]{16,}$/);
  assert.ok(licenseKey.startsWith(license.key_prefix) && license.key_prefix.length < 12);
  const { id, key_prefix: keyPrefix, ...rest } = license;
  assert.deepEqual(rest, {
    email: 'ada@example.com',
    name: 'Ada L.',
    tier: 'pro',
    status: 'active',
    expires_at: null,
    daily_limit: 1_000,
    monthly_limit: 30_000,
    max_activations: 3,
    overrides: { daily_limit: null, monthly_limit: null, max_activations: null },
    created_at: NOW,
    updated_at: NOW,
    version: 1,
  });
  const shown = await gateway.admin(`/licenses/${id}`);
  assert.ok(!shown.text.includes(licenseKey), 'the key is never shown again');
  const whole = { ...license, devices: [], device_count: 0, usage: { today: 0, this_month: 0 } };
  assert.deepEqual(adminBody(shown).license, whole);
  assert.equal(keyPrefix, license.key_prefix);
});

it('its own limits go before those of its tier', async () => {
  const limits = { daily_limit: 5, monthly_limit: -1, max_activations: 0 };
  const body = { ...asked, ...limits, expires_at: '2027-01-31T01:00:00+01:00' };
  const { license, license_key: licenseKey } = adminBody(await gateway.admin('/licenses', { body }));
  rememberSecret(licenseKey);
  assert.deepEqual(license.overrides, limits);
  const { daily_limit: daily, monthly_limit: monthly, max_activations: devices } = license;
  assert.deepEqual([daily, monthly, devices], [5, -1, 0]);
  assert.equal(license.expires_at, '2027-01-31T00:00:00.000Z');
});

const wrong: [change: object, names: RegExp][] = [
  [{ email: undefined }, /^email: /],
  [{ email: 'ada' }, /^email: /],
  [{ email: `${'a'.repeat(250)}@example.com` }, /^email: /],
  [{ name: ' ' }, /^name: /],
  [{ name: 'x'.repeat(201) }, /^name: /],
  [{ tier: 'gold' }, /^tier: there is no tier "gold"; there are free, pro, enterprise$/],
  [{ tier: 7 }, /^tier: /],
  [{ expires_at: 'tomorrow' }, /^expires_at: must be a time such as/],
  [{ expires_at: '2027-01-31' }, /^expires_at: /],
  [{ expires_at: 1_700_000_000 }, /^expires_at: /],
  [{ daily_limit: -2 }, /^daily_limit: /],
  [{ daily_limit: 1.5 }, /^daily_limit: /],
  [{ daily_limit: '5' }, /^daily_limit: /],
  [{ monthly_limit: 2 ** 60 }, /^monthly_limit: /],
  [{ max_activations: 2 ** 31 }, /^max_activations: /],
  // Who misspells an expiry must not sell a license for ever.
  [{ expire_at: '2027-01-31T00:00:00Z' }, /Unrecognized key: "expire_at"/],
  [{ email: 1, name: 2, tier: 3, daily_limit: 'x' }, /email: .*name: .*tier: .*daily_limit: /],
];

it('what is wrong with a new license is named, field by field', async () => {
  for (const [change, names] of wrong) {
    const answer = await gateway.admin('/licenses', { body: { ...asked, ...change } });
    const { error, code } = adminBody(answer);
    assert.deepEqual([answer.status, code], [400, 'invalid_request'], JSON.stringify(change));
    assert.match(error, names);
  }
  const { body } = await gateway.admin('/licenses');
  assert.equal((body as { data?: unknown[] }).data?.length, 2, 'nothing was made of them');
});
