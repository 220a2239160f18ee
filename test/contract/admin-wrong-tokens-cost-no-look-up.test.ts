import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { AdminTokenKeys } from '../../src/licensing/keys.ts';
import { makeToken } from '../support/admin-tokens.ts';
import { startTestGateway } from '../support/gateway.ts';

it('tokens that were never issued, or are known to be dead, are refused without a query', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory' });
  t.after(() => gateway.close());
  const { id, secret } = await makeToken(gateway, 'read');
  const { secret: good } = await makeToken(gateway, 'read');
  await gateway.admin(`/tokens/${id}/revoke`, { method: 'POST' });
  const seen: string[] = [];
  const count = (): number => seen.length;
  gateway.gateway.knex.on('query', ({ sql }: { sql: string }) => {
    if (sql.includes('admin_tokens')) seen.push(sql);
  });
  const foreign = new AdminTokenKeys(randomBytes(32));
  const statusOf = async (token: string): Promise<number> =>
    (await gateway.admin('/licenses', { token })).status;
  assert.equal(await statusOf(secret), 401);
  assert.equal(count(), 1, 'that it is revoked has to be read once');
  for (let round = 0; round < 50; round += 1) {
    const wrong = [foreign.issue(), `${good.slice(0, -1)}!`, secret, randomBytes(20).toString('hex')];
    assert.deepEqual(new Set(await Promise.all(wrong.map(statusOf))), new Set([401]));
  }
  assert.equal(count(), 1);
  assert.equal(await statusOf(good), 200);
  assert.ok(count() > 1, 'a query would have been seen');
});
