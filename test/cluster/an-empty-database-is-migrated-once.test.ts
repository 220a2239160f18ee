import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { migrations } from '../../db/migrations/index.ts';
import { tally } from '../support/cluster/answers.ts';
import { queryDatabase } from '../support/cluster/at-rest.ts';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import { sendAll } from '../support/cluster/load.ts';

describe('four gateways started at the same moment on an empty database', () => {
  let cluster: Cluster;
  const began = performance.now();
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  it('all come up, and each migration ran once', async (t) => {
    t.diagnostic(`up after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    const rows = await queryDatabase<{ name: string }>(
      cluster,
      'SELECT name FROM knex_migrations ORDER BY id',
    );
    assert.deepEqual(
      rows.map(({ name }) => name),
      migrations.map(({ name }) => name),
    );
    for (const member of cluster.members) {
      const faults = member.logLines().filter(({ level }) => level === 'error' || level === 'fatal');
      assert.deepEqual(faults, [], member.name);
    }
  });

  it('and share the secret that one of them made: a key of one is taken by all', async () => {
    const { devices } = await cluster.customers.add();
    const calls = cluster.members.map(({ url }) => ({ url, device: devices[0] }));
    assert.deepEqual(tally(await sendAll(calls, calls.length)), { '200': calls.length });
  });
});
