import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { auditOf } from '../support/audit.ts';
import { startTestGateway } from '../support/gateway.ts';

for (const database of ['postgres', 'embedded'] as const) {
  describe(`the audit (${database})`, () => {
    it('refuses whatever would change or remove an entry, by SQL too', async (t) => {
      const gateway = await startTestGateway({ counters: 'memory', database });
      t.after(() => gateway.close());
      const { id } = await gateway.createLicense();
      await change(gateway, id, 'suspend');
      const before = await auditOf(gateway);
      assert.equal(before.length, 2);
      for (const sql of [
        "UPDATE audit SET actor_name = 'somebody else'",
        'DELETE FROM audit',
        'DELETE FROM audit WHERE id < 0',
        'TRUNCATE audit',
        "INSERT INTO audit (id, at, actor_type, actor_name, action, target) SELECT id, at, 'x', 'x', 'x', 'x' FROM audit ON CONFLICT (id) DO UPDATE SET actor_name = 'x'",
      ]) {
        await assert.rejects(gateway.gateway.knex.raw(sql), /the audit is append-only: \w+ is refused/, sql);
      }
      assert.deepEqual(await auditOf(gateway), before);
      assert.equal((await gateway.admin('/audit', { method: 'DELETE' })).status, 405);
      assert.equal((await gateway.admin(`/audit/${before[0]?.id ?? 0}`, { method: 'DELETE' })).status, 404);
    });
  });
}
