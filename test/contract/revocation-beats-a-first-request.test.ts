import assert from 'node:assert/strict';
import { it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

it('a key that is being looked up while its license is revoked is not remembered as good', async (t) => {
  const one = await startTestGateway();
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  for (let round = 0; round < 20; round += 1) {
    const { licenseId, proxyKey } = await one.device();
    // Nobody knows the key yet: both read it from the database while the license changes. Some of the requests are cut.
    const race = [one, other, other].map((gateway) => chatStatus(gateway, proxyKey).catch(() => 'cut'));
    assert.equal(await change(one, licenseId, 'revoke'), 200);
    await Promise.all(race);
    assert.equal(await chatStatus(one, proxyKey), 401);
    await eventually(async () => assert.equal(await chatStatus(other, proxyKey), 401), 1_000);
    assert.equal(await chatStatus(other, proxyKey), 401, 'and so it stays');
  }
});
