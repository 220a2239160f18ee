import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody, change } from '../support/admin-calls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

const statusOf = async (id: string): Promise<string> =>
  adminBody(await gateway.admin(`/licenses/${id}`)).license.status;

it('a license is suspended and reinstated, as often as one likes', async () => {
  const { licenseId, proxyKey } = await gateway.device();
  for (let round = 0; round < 2; round += 1) {
    assert.equal(await change(gateway, licenseId, 'suspend'), 200);
    assert.equal(await change(gateway, licenseId, 'suspend'), 200, 'asking twice is no mistake');
    assert.equal(await statusOf(licenseId), 'suspended');
    assert.equal(await chatStatus(gateway, proxyKey), 403);
    assert.equal(await change(gateway, licenseId, 'reinstate'), 200);
    assert.equal(await change(gateway, licenseId, 'reinstate'), 200);
    assert.equal(await statusOf(licenseId), 'active');
    assert.equal(await chatStatus(gateway, proxyKey), 200);
  }
});

it('revoking is for good: what would undo it is 409', async () => {
  const { licenseId, proxyKey } = await gateway.device();
  assert.equal(await change(gateway, licenseId, 'revoke'), 200);
  assert.equal(await change(gateway, licenseId, 'revoke'), 200, 'asking twice is no mistake');
  for (const verb of ['reinstate', 'suspend'] as const) {
    const answer = await gateway.admin(`/licenses/${licenseId}/${verb}`, { method: 'POST' });
    assert.equal(answer.status, 409);
    assert.deepEqual(answer.body, {
      error: 'The license is revoked, which is for good: create a new one',
      code: 'license_revoked',
    });
  }
  assert.equal(await change(gateway, licenseId, { name: 'Renamed' }), 200);
  assert.equal(await statusOf(licenseId), 'revoked');
  assert.equal(await chatStatus(gateway, proxyKey), 401);
});

it('a suspended license can be revoked; of a suspension and a revocation at once the revocation stays', async () => {
  const { licenseId } = await gateway.device();
  await change(gateway, licenseId, 'suspend');
  assert.equal(await change(gateway, licenseId, 'revoke'), 200);
  assert.equal(await statusOf(licenseId), 'revoked');
  for (let round = 0; round < 10; round += 1) {
    const { id } = await gateway.createLicense();
    await Promise.all([change(gateway, id, 'suspend'), change(gateway, id, 'revoke')]);
    assert.equal(await statusOf(id), 'revoked');
  }
});
