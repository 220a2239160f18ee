import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { adminBody } from '../support/admin-calls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

for (const database of ['postgres', 'embedded'] as const) {
  describe(`what no text of the database can hold is the client's mistake (${database})`, () => {
    let gateway: TestGateway;
    before(async () => {
      gateway = await startTestGateway({ counters: 'memory', database });
    });
    after(() => gateway.close());

    it('in the fields of a license', async () => {
      const fields = { email: 'ada@example.com', name: 'Ada', tier: 'pro' };
      const { id } = await gateway.createLicense();
      for (const wrong of [{ name: 'a\u0000b' }, { tier: 'a\u0000b' }, { email: 'a\u0000@example.com' }]) {
        const made = await gateway.admin('/licenses', { body: { ...fields, ...wrong } });
        const changed = await gateway.admin(`/licenses/${id}`, { method: 'PATCH', body: wrong });
        for (const answer of [made, changed]) {
          assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request']);
        }
      }
    });

    it('in a path and in a query', async () => {
      const { id } = await gateway.createLicense();
      for (const [method, path] of [
        ['GET', '/licenses/%00'],
        ['POST', '/licenses/%00/suspend'],
        ['GET', '/licenses/%00/devices'],
        ['DELETE', `/licenses/${id}/devices/%00`],
        ['GET', '/licenses?email=%00'],
        ['GET', '/licenses?tier=%00'],
        ['GET', '/licenses?cursor=%00'],
      ] as const) {
        const answer = await gateway.admin(path, { method });
        assert.equal(answer.status, 400, `${method} ${path}: ${answer.text}`);
      }
    });

    it('in percent-encoding that is none', async () => {
      const { id } = await gateway.createLicense();
      for (const path of ['/licenses/%', '/licenses/%E0%A4%A', `/licenses/${id}/devices/%zz`]) {
        const answer = await gateway.admin(path, { method: 'DELETE' });
        assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request'], path);
      }
      const query = await gateway.admin('/licenses?tier=%E0%A4%A');
      assert.ok(query.status === 200 || query.status === 400, query.text);
    });
  });
}
