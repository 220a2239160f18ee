import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hasFailed, tally } from '../support/cluster/answers.ts';
import { overAdmitted, roundColumns, roundRow, runRound } from '../support/cluster/chaos.ts';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const ROUNDS = process.env.TEST_CHAOS === 'long' ? 20 : 3;
/** At the end of a round, so many requests that follow each other are answered in order. */
const LAST = 20;

describe('four gateways behind HAProxy while one thing after the other breaks under load', () => {
  const random = new SeededRandom(seedOfRun());
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({ redis: 'own', postgres: 'own', balancer: true });
  });
  after(() => cluster.stop());

  for (let round = 0; round < ROUNDS; round += 1) {
    it(`B10, round ${round + 1}: nothing over a limit, and at rest Redis = ledger ≥ provider`, async (t) => {
      const result = await runRound(cluster, random, round);
      const { answers, licenses, underWayAtKills, undecided } = result;
      const row = roundRow(result);
      t.diagnostic(
        `seed ${random.seed}: ${roundColumns.map((name, at) => `${name} ${row[at] ?? ''}`).join(' | ')}`,
      );
      t.diagnostic(`${JSON.stringify(tally(answers))}; under way at kills ${underWayAtKills}`);
      for (const license of licenses) {
        const { redis, ledger, provider, served, mayBeLost } = license;
        const counts = JSON.stringify(license);
        assert.ok(overAdmitted(license) <= mayBeLost, `over the limit: ${counts}`);
        assert.equal(redis, ledger, `Redis and the ledger differ: ${counts}`);
        assert.ok(
          provider <= ledger + mayBeLost,
          `the provider was asked for what was not booked: ${counts}`,
        );
        assert.ok(served <= provider, `clients were answered without the provider: ${counts}`);
        // Booked, and not sent on: what a killed gateway had under way, and what Redis counted without being heard (B6).
        assert.ok(ledger - provider <= underWayAtKills + undecided, `booked for nothing: ${counts}`);
      }
      assert.deepEqual(tally(answers.slice(-LAST).filter(hasFailed)), {}, 'in the end it serves again');
    });
  }
});
