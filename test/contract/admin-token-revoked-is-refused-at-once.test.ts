import assert from 'node:assert/strict';
import { it } from 'node:test';
import { makeToken } from '../support/admin-tokens.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';

it('a revoked token is refused by the next request, on every instance', async (t) => {
  const one = await startTestGateway();
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const { id, secret } = await makeToken(one, 'read');
  for (const gateway of [one, other]) {
    assert.equal((await gateway.admin('/licenses', { token: secret })).status, 200);
  }
  assert.equal((await one.admin(`/tokens/${id}/revoke`, { method: 'POST' })).status, 200);
  for (const gateway of [other, one, other]) {
    const refused = await gateway.admin('/licenses', { token: secret });
    assert.equal(refused.status, 401);
    assert.equal(refused.text, (await gateway.admin('/licenses', { token: 'never issued' })).text);
  }
  const again = await other.admin(`/tokens/${id}/revoke`, { method: 'POST' });
  assert.equal(again.status, 200, 'asking twice is no mistake');
  const unknown = await one.admin('/tokens/tok_nobody/revoke', { method: 'POST' });
  assert.deepEqual(unknown.body, { error: 'Token tok_nobody not found', code: 'not_found' });
});

it('a token works until its time is over', async (t) => {
  const clock = new FakeClock('2026-03-10T12:00:00Z');
  const gateway = await startTestGateway({ clock, counters: 'memory' });
  t.after(() => gateway.close());
  const { secret } = await makeToken(gateway, 'admin', { expires_at: '2026-03-10T13:00:00Z' });
  clock.set('2026-03-10T12:59:59.999Z');
  assert.equal((await gateway.admin('/licenses', { token: secret })).status, 200);
  clock.set('2026-03-10T13:00:00Z');
  assert.equal((await gateway.admin('/licenses', { token: secret })).status, 401);
  const late = { name: 'late', role: 'read', expires_at: '2026-03-10T13:00:00Z' };
  const refused = await gateway.admin('/tokens', { body: late });
  assert.deepEqual(refused.body, { error: 'expires_at: must lie in the future', code: 'invalid_request' });
});

it('without ADMIN_TOKEN stored tokens alone keep the API on', async (t) => {
  const first = await startTestGateway({ counters: 'memory' });
  const { id, secret } = await makeToken(first, 'admin');
  const second = await startTestGateway({ joins: first, env: { ADMIN_TOKEN: undefined } });
  t.after(() => first.close());
  t.after(() => second.close());
  assert.equal((await second.admin('/licenses', { token: secret })).status, 200);
  assert.equal((await second.admin('/licenses', { token: 'wrong' })).status, 401);
  assert.equal((await second.admin(`/tokens/${id}/revoke`, { method: 'POST', token: secret })).status, 200);
  assert.equal((await second.admin('/licenses', { token: secret })).status >= 401, true);
});
