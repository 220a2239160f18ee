import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, it, type TestContext } from 'node:test';
import { hasFailed, longestDecision, secondsOfErrors, served, tally } from '../support/cluster/answers.ts';
import { countsAtRest } from '../support/cluster/at-rest.ts';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import { startLoad } from '../support/cluster/load.ts';
import type { Member } from '../support/cluster/member.ts';
import {
  openLongStream,
  startStreamLoad,
  wholeStream,
  type StreamOutcome,
} from '../support/cluster/streams.ts';
import { eventually } from '../support/eventually.ts';

const isLong = process.env.TEST_CHAOS === 'long';
/** Readiness is red for so long before the listener closes. Milliseconds. */
const DELAY = 800;
/** Seconds; the first instance to go waits for the longest streams. */
const LONG_STREAM = isLong ? 20 : 5;
const SHORT_STREAM = isLong ? 5 : 1;

/** The status that a client gets that comes straight to the gateway, or the error. */
async function statusOf({ url }: Member): Promise<number> {
  const request = http.get(`${url}/tiers`, { agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

/** Stops and starts a gateway. Returns how long it took to see it red, and to be gone. Milliseconds. */
async function restart(member: Member): Promise<{ redAfter: number; goneAfter: number }> {
  const began = performance.now();
  const ended = member.end('SIGTERM');
  await eventually(async () => assert.equal((await member.readiness()).status, 503), DELAY);
  const redAfter = performance.now() - began;
  assert.equal(await statusOf(member), 200, 'it is red first, and still takes requests');
  assert.equal(await ended, 0, `${member.name} ended in order`);
  const goneAfter = performance.now() - began;
  await member.start();
  return { redAfter, goneAfter };
}

function brokenOf(streams: readonly StreamOutcome[], whole: string): StreamOutcome[] {
  return streams.filter(({ status, error, body }) => status !== 200 || error !== undefined || body !== whole);
}

async function reportFailures(t: TestContext, cluster: Cluster): Promise<void> {
  t.diagnostic(`HAProxy: ${(await cluster.balancer?.log()) ?? ''}`);
}

describe('four gateways behind HAProxy under load, restarted one after the other', () => {
  let cluster: Cluster;
  before(async () => {
    const env = { SHUTDOWN_DELAY_MS: String(DELAY), SHUTDOWN_TIMEOUT_MS: '60000', REDIS_TIMEOUT_MS: '10000' };
    cluster = await startCluster({ balancer: true, env });
  });
  after(() => cluster.stop());

  it('B12, B13: no request fails, no stream is cut, and each is red before it stops listening', async (t) => {
    const { url, customers, simulator, members } = cluster;
    const { licenseId, devices } = await customers.add({ tier: 'enterprise' }, 2);
    const [device] = devices;
    const wholes = {
      long: await wholeStream(simulator, LONG_STREAM),
      short: await wholeStream(simulator, SHORT_STREAM),
    };
    const load = startLoad({ clients: 5, next: () => ({ url, device }) });
    const streams = startStreamLoad({ url, device, atATime: 6, seconds: SHORT_STREAM });
    t.after(() => Promise.all([load.stop(), streams.stop()])); // whatever goes wrong, they must not go on
    const longStreams = Array.from({ length: 16 }, () => openLongStream(url, device, LONG_STREAM));
    await Promise.all(longStreams.map(({ opened }) => opened));

    const began = performance.now();
    for (const member of members) {
      const { redAfter, goneAfter } = await restart(member);
      const times = `red after ${redAfter.toFixed(0)} ms, gone after ${goneAfter.toFixed(0)} ms`;
      t.diagnostic(`B12 ${member.name}: ${times}`);
    }
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const [answers, short, long] = await Promise.all([
      load.stop(),
      streams.stop(),
      Promise.all(longStreams.map(({ over }) => over)),
    ]);
    const failed = answers.filter(hasFailed);
    const broken = [...brokenOf(short, wholes.short), ...brokenOf(long, wholes.long)];
    t.diagnostic(
      `B13 ${answers.length} requests and ${short.length + long.length} streams in ${seconds} s: ${failed.length} failed, ` +
        `${broken.length} streams broken, ${secondsOfErrors(answers).toFixed(1)} s of errors, ` +
        `longest decision ${longestDecision(answers).toFixed(0)} ms`,
    );
    if (failed.length + broken.length > 0) await reportFailures(t, cluster);
    assert.deepEqual(tally(answers), { '200': answers.length });
    const tails = broken.map(({ status, error, body }) => ({ status, error, end: body.slice(-100) }));
    assert.deepEqual(tails, []);

    const admitted = served(answers) + short.length + long.length;
    const { redis, ledger, provider, withinMs } = await countsAtRest(cluster, licenseId);
    t.diagnostic(
      `B13 Redis ${redis}, ledger ${ledger}, provider ${provider} after ${withinMs.toFixed(0)} ms`,
    );
    assert.deepEqual({ redis, ledger, provider }, { redis: admitted, ledger: admitted, provider: admitted });
  });
});
