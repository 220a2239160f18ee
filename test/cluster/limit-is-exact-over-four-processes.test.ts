import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { longestDecision, tally, decidedWithin, type Answer } from '../support/cluster/answers.ts';
import { countsAtRest } from '../support/cluster/at-rest.ts';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import type { Customer } from '../support/cluster/customers.ts';
import { sendAll, type Call } from '../support/cluster/load.ts';

/** B1. */
const REQUESTS = 20_000;
const LIMIT = 1_000;
const AT_A_TIME = 200;

/** So many requests of a customer, in turns from each device to each gateway. */
function callsOf({ devices: [first, ...others] }: Customer, { members }: Cluster, count: number): Call[] {
  const devices = [first, ...others];
  return Array.from({ length: count }, (_, index) => ({
    url: (members[index % members.length] ?? members[0]).url,
    device: devices[Math.floor(index / members.length) % devices.length] ?? first,
  }));
}

/** What belongs together is sent together: each customer's next request in turn. */
function inTurns(lists: readonly Call[][]): Call[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list[index] ?? [])).flat();
}

async function assertCounts(
  t: TestContext,
  cluster: Cluster,
  { licenseId }: Customer,
  expected: number,
): Promise<void> {
  const { redis, ledger, provider, withinMs } = await countsAtRest(cluster, licenseId);
  t.diagnostic(
    `B1 Redis ${redis}, ledger ${ledger}, provider ${provider}; agreed after ${withinMs.toFixed(0)} ms`,
  );
  assert.deepEqual({ redis, ledger, provider }, { redis: expected, ledger: expected, provider: expected });
}

function report(t: TestContext, answers: readonly Answer[]): void {
  const p99 = decidedWithin(answers, 0.99);
  const longest = longestDecision(answers);
  t.diagnostic(`B1 p99 decision ${p99.toFixed(0)} ms, longest ${longest.toFixed(0)} ms`);
}

describe('four gateway processes with one Redis', () => {
  let cluster: Cluster;
  before(async () => {
    // How long a decision takes on a busy machine is not the question here: none may be given up.
    cluster = await startCluster({ env: { REDIS_TIMEOUT_MS: '10000', LOG_LEVEL: 'warn' } });
  });
  after(() => cluster.stop());

  it('B1: of 20,000 requests at a limit of 1,000, exactly 1,000 are admitted', async (t) => {
    const customer = await cluster.customers.add({ daily_limit: LIMIT, monthly_limit: -1 }, 5);
    const answers = await sendAll(callsOf(customer, cluster, REQUESTS), AT_A_TIME);
    const found = tally(answers);
    t.diagnostic(`B1 ${JSON.stringify(found)}; over-admitted ${(found['200'] ?? 0) - LIMIT}`);
    report(t, answers);
    assert.deepEqual(found, { '200': LIMIT, '429 rate_limit_exceeded': REQUESTS - LIMIT });
    const told = answers.flatMap(({ status, remaining }) => (status === 200 ? [Number(remaining)] : []));
    assert.equal(new Set(told).size, LIMIT, 'each was told its own number');
    await assertCounts(t, cluster, customer, LIMIT);
  });

  it('B1: whichever of the two windows is full first decides, for several licenses at a time', async (t) => {
    const limits = [
      { fields: { daily_limit: 300, monthly_limit: 1_000 }, admitted: 300, code: '429 rate_limit_exceeded' },
      { fields: { daily_limit: 300, monthly_limit: 200 }, admitted: 200, code: '429 monthly_limit_exceeded' },
      { fields: { daily_limit: 150, monthly_limit: 151 }, admitted: 150, code: '429 rate_limit_exceeded' },
      { fields: { daily_limit: -1, monthly_limit: 100 }, admitted: 100, code: '429 monthly_limit_exceeded' },
    ];
    const each = 600;
    const customers: Customer[] = [];
    for (const { fields } of limits) customers.push(await cluster.customers.add(fields, 3));
    const calls = inTurns(customers.map((customer) => callsOf(customer, cluster, each)));
    const answers = await sendAll(calls, AT_A_TIME);
    report(t, answers);
    for (const [index, { admitted, code, fields }] of limits.entries()) {
      const customer = customers[index];
      assert.ok(customer);
      const own = answers.filter(({ licenseId }) => licenseId === customer.licenseId);
      t.diagnostic(`B1 ${JSON.stringify(fields)}: ${JSON.stringify(tally(own))}`);
      assert.deepEqual(tally(own), { '200': admitted, [code]: each - admitted });
      await assertCounts(t, cluster, customer, admitted);
    }
  });
});
