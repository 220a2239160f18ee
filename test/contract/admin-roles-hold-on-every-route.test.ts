import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminRoutes } from '../../src/http/admin/routes.ts';
import { adminBody, change } from '../support/admin-calls.ts';
import { makeToken, type MadeToken } from '../support/admin-tokens.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
const tokens: Record<string, MadeToken> = {};
before(async () => {
  gateway = await startTestGateway();
  for (const role of ['read', 'support', 'admin'] as const) tokens[role] = await makeToken(gateway, role);
});
after(() => gateway.close());

const as = (role: string): { token: string } => ({ token: tokens[role]?.secret ?? '' });

/** What the contract keeps from `support`: revoking, and every kind of key and token. */
const FOR_ADMINS = /\/(?:revoke|reissue|key|keys|migrate)\b|\/tokens|\/providers|\/master-key/;

it('reading takes read, revoking and keys take admin, all else support', () => {
  for (const { method, path, role } of adminRoutes) {
    const isForAdmins = method === 'get' ? path.startsWith('/tokens') : FOR_ADMINS.test(path);
    const expected = isForAdmins ? 'admin' : method === 'get' ? 'read' : 'support';
    if (!path.includes('webhook')) assert.equal(role, expected, `${method} ${path}`);
  }
});

for (const { method, path, role } of adminRoutes) {
  const target = path.replaceAll(/:\w+/g, 'nothing');
  it(`${method} ${path}: who has less than ${role} is told what it takes, and nobody else is`, async () => {
    const order = ['read', 'support', 'admin'];
    for (const mine of order) {
      const answer = await gateway.admin(target, { method: method.toUpperCase(), ...as(mine) });
      if (order.indexOf(mine) >= order.indexOf(role)) {
        assert.ok(answer.status !== 403 && answer.status !== 401, `${mine}: ${answer.text}`);
        continue;
      }
      assert.deepEqual(answer.body, {
        error: `This takes the role "${role}"; the token "the ${mine}" has the role "${mine}"`,
        code: 'forbidden',
      });
    }
  });
}

it('a read token changes nothing, a support token does not revoke, by whatever way', async () => {
  const { id } = await gateway.createLicense();
  const before = (await gateway.admin(`/licenses/${id}`)).text;
  const patch = { method: 'PATCH', body: { daily_limit: 99 } };
  assert.equal((await gateway.admin(`/licenses/${id}`, { ...patch, ...as('read') })).status, 403);
  assert.equal((await gateway.admin(`/licenses/${id}`)).text, before);
  const revoke = `/licenses/${id}/revoke`;
  for (const path of [revoke, `${revoke}/`, `${revoke}?`]) {
    assert.equal((await gateway.admin(path, { method: 'POST', ...as('support') })).status, 403, path);
  }
  const smuggled = { method: 'PATCH', body: { status: 'revoked' }, ...as('support') };
  assert.equal((await gateway.admin(`/licenses/${id}`, smuggled)).status, 400);
  assert.equal(adminBody(await gateway.admin(`/licenses/${id}`)).license.status, 'active');
  assert.equal((await gateway.admin(`/licenses/${id}`, { ...patch, ...as('support') })).status, 200);
  assert.equal(await change(gateway, id, 'revoke'), 200);
});

it('nobody makes a token that may more than they do', async () => {
  for (const role of ['read', 'support']) {
    const made = await gateway.admin('/tokens', { body: { name: 'x', role: 'admin' }, ...as(role) });
    assert.equal(made.status, 403);
    const ended = await gateway.admin(`/tokens/${tokens.admin?.id ?? ''}/revoke`, {
      method: 'POST',
      ...as(role),
    });
    assert.equal(ended.status, 403);
  }
});
