import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody, change, hardwareIds } from '../support/admin-calls.ts';
import { auditOf } from '../support/audit.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { rememberSecret } from '../support/output.ts';
import { chatStatus } from '../support/proxy-call.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

async function reissue(id: string): Promise<string> {
  const answer = await gateway.admin(`/licenses/${id}/reissue`, { method: 'POST' });
  assert.equal(answer.status, 200, answer.text);
  const licenseKey = adminBody(answer).license_key;
  rememberSecret(licenseKey);
  assert.ok(licenseKey.startsWith(adminBody(answer).license.key_prefix));
  return licenseKey;
}

it('the old key dies at once, the new one works, and devices notice nothing', async () => {
  const device = await gateway.device({}, 'hw-1');
  const { licenseId, licenseKey, proxyKey } = device;
  const stream = await openStream(gateway, device);
  const next = await reissue(licenseId);
  for (const path of ['/activate', '/check', '/deactivate']) {
    const body = { license_key: licenseKey, hardware_id: 'hw-1' };
    const refused = await gateway.request(path, { body });
    assert.deepEqual([refused.status, refused.body.code], [401, 'invalid_license_key'], path);
  }
  assert.equal(await chatStatus(gateway, proxyKey), 200);
  assert.deepEqual(await hardwareIds(gateway, licenseId), ['hw-1']);
  assert.equal(await chatStatus(gateway, await gateway.activate(next, 'hw-2')), 200);
  assert.ok(stream.isOpen());
  stream.leave();
});

it('of simultaneous reissues the last key works, and no other', async () => {
  const { id, licenseKey } = await gateway.createLicense({ max_activations: 20 });
  const keys = await Promise.all(Array.from({ length: 5 }, () => reissue(id)));
  const statuses = await Promise.all(
    [licenseKey, ...keys].map(async (key, index) => {
      const body = { license_key: key, hardware_id: `hw-${index}` };
      return (await gateway.request('/activate', { body })).status;
    }),
  );
  assert.deepEqual(statuses.sort(), [200, 401, 401, 401, 401, 401]);
});

it('it is in the audit without a key; a revoked license gets none', async () => {
  const { id } = await gateway.createLicense();
  const key = await reissue(id);
  const [entry] = await auditOf(gateway, `?license=${id}`);
  assert.equal(entry?.action, 'license.reissued');
  assert.deepEqual(Object.keys(entry.after ?? {}), ['key_prefix']);
  assert.ok(!JSON.stringify(entry).includes(key));
  await change(gateway, id, 'revoke');
  const refused = await gateway.admin(`/licenses/${id}/reissue`, { method: 'POST' });
  assert.deepEqual([refused.status, adminBody(refused).code], [409, 'license_revoked']);
});
