import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';

const CALLS: [method: string, path: string][] = [
  ['GET', '/admin/v1/licenses'],
  ['POST', '/admin/v1/licenses'],
  ['GET', '/admin/v1/licenses/lic_1'],
  ['PATCH', '/admin/v1/licenses/lic_1'],
  ['POST', '/admin/v1/licenses/lic_1/suspend'],
  ['POST', '/admin/v1/licenses/lic_1/reinstate'],
  ['POST', '/admin/v1/licenses/lic_1/revoke'],
  ['GET', '/admin/v1/licenses/lic_1/devices'],
  ['DELETE', '/admin/v1/licenses/lic_1/devices/hw-1'],
  ['GET', '/admin/v1/nothing'],
  ['GET', '/admin'],
];

it('every admin path answers 401 to a missing or wrong token, and the same to both', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const token = gateway.adminToken;
  const cut = token.slice(0, -1);
  rememberSecret(cut);
  const wrong = [undefined, '', 'Bearer', `Bearer ${cut}`, `Bearer ${token}x`, `Basic ${token}`, token];
  for (const [method, path] of CALLS) {
    for (const authorization of wrong) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answer = await gateway.request(path, { method, headers });
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
      assert.deepEqual(answer.body, {
        error: 'Invalid admin token: send it as "Authorization: Bearer <token>"',
        code: 'invalid_admin_token',
      });
    }
  }
  const query = await gateway.request(`/admin/v1/licenses?token=${token}&access_token=${token}`);
  assert.equal(query.status, 401, 'a token in a URL would end up in logs');
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const headers = { authorization: `${scheme} ${token}` };
    assert.equal((await gateway.request('/admin/v1/licenses', { headers })).status, 200);
  }
});

it('without ADMIN_TOKEN the admin API is off: 503, whatever token comes', async (t) => {
  const gateway = await startTestGateway({ env: { ADMIN_TOKEN: undefined } });
  t.after(() => gateway.close());
  for (const [method, path] of CALLS) {
    for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer undefined' }]) {
      const answer = await gateway.request(path, { method, headers });
      assert.deepEqual([answer.status, answer.body.code], [503, 'admin_not_configured'], `${method} ${path}`);
    }
  }
});
