import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { auditOf } from '../support/audit.ts';
import { makeToken } from '../support/admin-tokens.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = new FakeClock('2026-03-10T12:00:00Z');
let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ clock });
});
after(() => gateway.close());

it('each change of a license is in it, with who, when, from where, before and after', async () => {
  const { id: tokenId, secret } = await makeToken(gateway, 'support', { name: 'Grace' });
  const { licenseId } = await gateway.device({ email: 'a@example.com', name: 'Ada' }, 'hw-1');
  clock.advance(1_000);
  const patched = await gateway.admin(`/licenses/${licenseId}`, {
    method: 'PATCH',
    body: { daily_limit: 2_000, name: 'Ada', expires_at: '2027-01-01T00:00:00Z' },
    token: secret,
  });
  for (const verb of ['suspend', 'suspend', 'reinstate'] as const) await change(gateway, licenseId, verb);
  await gateway.admin(`/licenses/${licenseId}/devices/hw-1`, { method: 'DELETE' });
  await change(gateway, licenseId, 'revoke');

  const entries = await auditOf(gateway, `?license=${licenseId}`);
  assert.deepEqual(
    entries.map(({ action, before, after }) => ({ action, before, after })),
    [
      { action: 'license.revoked', before: { status: 'active' }, after: { status: 'revoked' } },
      { action: 'device.removed', before: { hardware_id: 'hw-1' }, after: null },
      { action: 'license.reinstated', before: { status: 'suspended' }, after: { status: 'active' } },
      { action: 'license.suspended', before: { status: 'active' }, after: { status: 'suspended' } },
      {
        action: 'license.updated',
        before: { daily_limit: null, expires_at: null },
        after: { daily_limit: 2_000, expires_at: '2027-01-01T00:00:00.000Z' },
      },
      { action: 'license.created', before: null, after: entries.at(-1)?.after ?? null },
    ],
    'a suspension of what is suspended changes nothing',
  );
  const updated = entries[4];
  assert.ok(updated);
  assert.deepEqual(updated.actor, { type: 'token', id: tokenId, name: 'Grace', role: 'support' });
  assert.equal(updated.at, '2026-03-10T12:00:01.000Z');
  assert.equal(updated.address, '127.0.0.1');
  assert.equal(updated.request_id, patched.headers.get('x-licensify-request-id'));
  assert.deepEqual([updated.target, updated.license], [licenseId, licenseId]);
  assert.deepEqual(entries[0]?.actor, { type: 'token', id: null, name: 'ADMIN_TOKEN', role: 'admin' });
});

it('making and revoking a token is in it; nobody finds a secret there', async () => {
  const { id, secret } = await makeToken(gateway, 'read', { name: 'Linus' });
  await gateway.admin(`/tokens/${id}/revoke`, { method: 'POST' });
  const entries = (await auditOf(gateway)).filter(({ target }) => target === id);
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['token.revoked', 'token.created'],
  );
  assert.ok(!JSON.stringify(await auditOf(gateway)).includes(secret));
});

it('what customers do with their own devices does not bury it', async () => {
  const { licenseId, licenseKey } = await gateway.device({}, 'hw-1');
  await gateway.activate(licenseKey, 'hw-1');
  await gateway.request('/deactivate', { body: { license_key: licenseKey, hardware_id: 'hw-1' } });
  const actions = (await auditOf(gateway, `?license=${licenseId}`)).map(({ action }) => action);
  assert.deepEqual(actions, ['license.created']);
});

it('a change that fails leaves no entry, and one that cannot be recorded is not made', async () => {
  const { id } = await gateway.createLicense();
  const { knex } = gateway.gateway;
  await change(gateway, id, { tier: 'gold' });
  assert.equal((await auditOf(gateway, `?license=${id}`)).length, 1);
  await knex.raw(
    "ALTER TABLE audit ADD CONSTRAINT nothing_more CHECK (action <> 'license.suspended') NOT VALID",
  );
  assert.equal(await change(gateway, id, 'suspend'), 500);
  await knex.raw('ALTER TABLE audit DROP CONSTRAINT nothing_more');
  const shown = await gateway.admin(`/licenses/${id}`);
  assert.equal((shown.body as unknown as { license: { status: string } }).license.status, 'active');
});
