import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { tally } from '../support/cluster/answers.ts';
import { countsAtRest } from '../support/cluster/at-rest.ts';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import type { Customer } from '../support/cluster/customers.ts';
import { sendAll, type Call } from '../support/cluster/load.ts';

const LIMIT = 500;
const BEFORE = 300;
const AT_ONCE = 400;

/** All that the cluster keeps in Redis is gone, as after the loss of its data; the number of the keys there were. */
async function wipe({ redisUrl, redisPrefix }: Cluster): Promise<number> {
  const redis = new Redis(redisUrl);
  try {
    const keys = await redis.keys(`${redisPrefix}:*`);
    return keys.length === 0 ? 0 : await redis.del(keys);
  } finally {
    redis.disconnect();
  }
}

function callsOf({ devices: [device] }: Customer, { members }: Cluster, count: number): Call[] {
  return Array.from({ length: count }, (_, index) => ({
    url: (members[index % members.length] ?? members[0]).url,
    device,
  }));
}

describe('four gateway processes whose Redis has lost everything at rest', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({ env: { REDIS_TIMEOUT_MS: '10000' } });
  });
  after(() => cluster.stop());

  const colds: [what: string, prepare: () => Promise<unknown>][] = [
    ['instances that run on', () => Promise.resolve()],
    [
      'instances that have just been started, too',
      async () => {
        await Promise.all(cluster.members.map((member) => member.end('SIGTERM')));
        await Promise.all(cluster.members.map((member) => member.start()));
      },
    ],
  ];
  for (const [what, prepare] of colds) {
    it(`B3: ${what}: 400 requests at once count on from the ledger, to exactly the limit`, async (t) => {
      const customer = await cluster.customers.add({ daily_limit: LIMIT, monthly_limit: -1 });
      assert.deepEqual(tally(await sendAll(callsOf(customer, cluster, BEFORE), 50)), { '200': BEFORE });
      const { ledger } = await countsAtRest(cluster, customer.licenseId);
      assert.equal(ledger, BEFORE);
      await prepare();
      assert.ok((await wipe(cluster)) > 0, 'there was nothing to lose');

      const answers = await sendAll(callsOf(customer, cluster, AT_ONCE), AT_ONCE);
      const admitted = answers.filter(({ status }) => status === 200);
      t.diagnostic(`B3 ${JSON.stringify(tally(answers))}; over-admitted ${BEFORE + admitted.length - LIMIT}`);
      const rest = LIMIT - BEFORE;
      assert.deepEqual(tally(answers), { '200': rest, '429 rate_limit_exceeded': AT_ONCE - rest });
      const told = admitted.map(({ remaining }) => Number(remaining)).sort((a, b) => a - b);
      assert.deepEqual(
        told,
        Array.from({ length: rest }, (_, index) => index),
        'each was told its own number, counted on from the ledger',
      );
      const { redis, ledger: after, provider } = await countsAtRest(cluster, customer.licenseId);
      assert.deepEqual({ redis, after, provider }, { redis: LIMIT, after: LIMIT, provider: LIMIT });
    });
  }
});
