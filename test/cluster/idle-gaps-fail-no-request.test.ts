import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { longestDecision, tally } from '../support/cluster/answers.ts';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import { startLoad } from '../support/cluster/load.ts';
import { eventually } from '../support/eventually.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const isLong = process.env.TEST_CHAOS === 'long';
const REQUESTS = isLong ? 100_000 : 3_000;
/** Milliseconds. */
const PATIENCE = isLong ? 1_200_000 : 100_000;
const CLIENTS = 40;
/** How long HAProxy keeps an idle connection to a gateway; gaps are around it. Milliseconds. */
const IDLE_POOL = 80;

describe('four gateways behind HAProxy, asked with idle gaps', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({ balancer: { idlePool: IDLE_POOL }, env: { REDIS_TIMEOUT_MS: '10000' } });
  });
  after(() => cluster.stop());

  it('B18: no request meets a connection that was just closed', { timeout: PATIENCE + 10_000 }, async (t) => {
    const { customers, url } = cluster;
    const { devices } = await customers.add({ tier: 'enterprise' });
    const random = new SeededRandom(seedOfRun());
    const load = startLoad({
      clients: CLIENTS,
      next: () => ({ url, device: devices[0] }),
      // HAProxy looks at its pool once in that time, so that a connection goes after one to two times of it.
      pauseMs: () => random.int(random.chance(0.5) ? 10 : 3 * IDLE_POOL),
    });
    t.after(() => load.stop()); // whatever goes wrong, it must not go on
    const connections = async () => (await cluster.balancer?.connections()) ?? { made: NaN, reused: NaN };
    await eventually(async () => {
      assert.ok(load.answers.length >= REQUESTS);
      assert.ok((await connections()).made > 100, 'idle connections were closed and made anew');
    }, PATIENCE);
    const answers = await load.stop();
    const { made, reused } = await connections();
    t.diagnostic(
      `B18 seed ${random.seed}: ${answers.length} requests over ${made} connections to the gateways, ${reused} of them on one that was there: ` +
        `${JSON.stringify(tally(answers))}, longest decision ${longestDecision(answers).toFixed(0)} ms`,
    );
    assert.ok(reused > answers.length / 2, 'and most requests used one that was there');
    assert.deepEqual(tally(answers), { '200': answers.length });
  });
});
