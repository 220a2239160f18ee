import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import type { Customer } from '../support/cluster/customers.ts';
import { send } from '../support/cluster/load.ts';
import { openLongStream, type LongStream } from '../support/cluster/streams.ts';
import { eventually } from '../support/eventually.ts';
import type { TestDevice } from '../support/gateway.ts';

/** Contract §6. Milliseconds. */
const EVERYWHERE_WITHIN = 1_000;
const STREAMS_EACH = 3;

interface Cause {
  readonly name: string;
  /** Does it on one instance, and returns the status it is answered with. */
  readonly end: (by: Cluster, customer: Customer) => Promise<number>;
  /** What the key gets from then on. */
  readonly then: number;
}

const changed =
  (verb: string) =>
  async ({ customers, members }: Cluster, { licenseId }: Customer): Promise<number> =>
    (await customers.admin(`/licenses/${licenseId}/${verb}`, { method: 'POST', on: members[0].url })).status;

const causes: readonly Cause[] = [
  { name: 'suspending the license', end: changed('suspend'), then: 403 },
  { name: 'revoking the license', end: changed('revoke'), then: 401 },
  {
    name: 'removing the device',
    async end({ customers, members }, { licenseId, devices: [device] }) {
      const path = `/licenses/${licenseId}/devices/${device.hardwareId}`;
      return (await customers.admin(path, { method: 'DELETE', on: members[0].url })).status;
    },
    then: 401,
  },
  {
    name: 'rotating the key with no time of grace',
    async end({ customers }, { licenseId, licenseKey, devices: [device] }) {
      await customers.activate(licenseId, licenseKey, device.hardwareId);
      return 200;
    },
    then: 401,
  },
];

/** Asks a gateway until it answers with this status. Returns when it first did, and what it answered before. */
async function firstAnswered(
  url: string,
  device: TestDevice,
  status: number,
): Promise<{ at: number; before: number[] }> {
  const before: number[] = [];
  const agent = new http.Agent({ keepAlive: true });
  try {
    for (;;) {
      const answer = await send({ url, device }, agent);
      if (answer.status === status) return { at: answer.decidedAt, before };
      before.push(answer.status);
      if (before.length > 1_000) throw new Error(`it never answered ${status}`);
      await sleep(10);
    }
  } finally {
    agent.destroy();
  }
}

async function openEverywhere({ members }: Cluster, device: TestDevice): Promise<LongStream[]> {
  const streams = members.flatMap(({ url }) =>
    Array.from({ length: STREAMS_EACH }, () => openLongStream(url, device, 600)),
  );
  const statuses = await Promise.all(streams.map(({ opened }) => opened));
  assert.ok(statuses.every((status) => status === 200));
  return streams;
}

describe('four gateway processes of one installation', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({
      env: { PROXY_KEY_GRACE_SECONDS: '0', REDIS_TIMEOUT_MS: '10000' },
    });
  });
  after(() => cluster.stop());

  for (const { name, end, then } of causes) {
    it(`B15: ${name} on one refuses the key and cuts its streams on all within 1 s`, async (t) => {
      const customer = await cluster.customers.add({ tier: 'enterprise' }, 2);
      const [device, bystander] = [customer.devices[0], (await cluster.customers.add()).devices[0]];
      const streams = await openEverywhere(cluster, device);
      const untouched = await openEverywhere(cluster, bystander);
      t.after(() => [...streams, ...untouched].forEach((stream) => stream.leave()));

      const began = performance.now();
      assert.ok((await end(cluster, customer)) < 300);
      const refused = await Promise.all(cluster.members.map(({ url }) => firstAnswered(url, device, then)));
      const cut = await Promise.all(streams.map(({ over }) => over));

      const slowest = (times: number[]): number => Math.max(...times) - began;
      const [cutAfter, refusedAfter] = [
        slowest(cut.map(({ endedAt }) => endedAt)),
        slowest(refused.map(({ at }) => at)),
      ];
      t.diagnostic(
        `B15 ${name}: the last of ${streams.length} streams cut after ${cutAfter.toFixed(0)} ms, ` +
          `the last of ${cluster.members.length} instances refused after ${refusedAfter.toFixed(0)} ms`,
      );
      // 0: it was under way when the news came, and was cut like a stream.
      const before = refused.flatMap((answers) => answers.before);
      assert.deepEqual(
        before.filter((status) => status !== 200 && status !== 0),
        [],
      );
      assert.ok(
        cut.every(({ error }) => error !== undefined),
        'a stream that was cut does not look complete',
      );
      assert.ok(cutAfter < EVERYWHERE_WITHIN && refusedAfter < EVERYWHERE_WITHIN);
      assert.ok(untouched.every((stream) => stream.isOpen()));
      for (const stream of untouched) stream.leave();
      await eventually(
        () => assert.equal(cluster.simulator.openRequests(), 0, 'the provider is left'),
        5_000,
      );
    });
  }
});
