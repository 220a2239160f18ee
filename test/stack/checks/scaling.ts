import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.ts';
import { decidedWithin, hasFailed, served, tally } from '../../support/cluster/answers.ts';
import { startLoad, type Load } from '../../support/cluster/load.ts';
import { startStreamLoad, type StreamOutcome } from '../../support/cluster/streams.ts';
import { figure, since } from '../figures.ts';
import { docker } from '../stack.ts';
import type { World } from '../world.ts';
import { assertExact } from './accounts.ts';

const CLIENTS = 8;
const STREAMS = 4;
/** Longer than HAProxy takes to see a gateway stop, shorter than SHUTDOWN_TIMEOUT_MS. */
const STREAM_SECONDS = 8;
const PATIENCE = 60_000;

/** From three gateways to five and down to two while clients go on: none of them notices. */
export async function scalingFailsNoRequest(world: World): Promise<void> {
  const { stack } = world;
  await underLoad(world, async (load) => {
    const upAt = performance.now();
    await stack.scale(5);
    await ready(world, 5);
    figure('scaled from 3 to 5; HAProxy has all of them after', `${since(upAt)} ms`);
    await eventually(
      async () => assert.equal(await idleGateways(world), 0, 'a new one has no requests'),
      PATIENCE,
    );
    figure('requests until all five had some', load.answers.length);

    const downAt = performance.now();
    await stack.scale(2);
    await ready(world, 2);
    figure('scaled from 5 to 2, streams let out, after', `${since(downAt)} ms`);
  });
}

/** Every gateway is replaced, by the commands of docs/deployment.md, and clients notice nothing. */
export async function rollingUpdateFailsNoRequest(world: World): Promise<void> {
  const { stack } = world;
  await underLoad(world, async () => {
    const began = performance.now();
    const old = (await stack.containers('gateway')).map(({ Id }) => Id);
    await stack.scale(old.length + 3);
    await eventually(async () => {
      const health = (await stack.containers('gateway')).map(({ State }) => State.Health?.Status);
      assert.deepEqual(new Set(health), new Set(['healthy']));
    }, PATIENCE);
    await docker(['stop', '-t', '45', ...old]);
    await docker(['rm', ...old]);
    await ready(world, 3);
    figure(`${old.length} gateways replaced by 3 others in`, `${since(began)} ms`);
  });
}

/** Asserts that requests and streams which go on meanwhile are all answered, whole, and counted once. */
async function underLoad(world: World, happens: (load: Load) => Promise<void>): Promise<void> {
  const { stack, customers } = world;
  const { devices, licenseId } = await customers.add({ tier: 'enterprise' });
  const [device] = devices;
  const load = startLoad({
    next: () => ({ url: stack.url, device, simulate: 'delay=50' }),
    clients: CLIENTS,
    pauseMs: () => 50,
  });
  const streams = startStreamLoad({ url: stack.url, device, atATime: STREAMS, seconds: STREAM_SECONDS });
  await happens(load);
  const [answers, outcomes] = await Promise.all([load.stop(), streams.stop()]);

  const broken = outcomes.filter((outcome) => !isWhole(outcome));
  figure('plain requests, failed', `${answers.length}, ${answers.filter(hasFailed).length}`);
  const [median = '', p99 = ''] = [0.5, 0.99].map(
    (share) => `${decidedWithin(answers, share).toFixed(0)} ms`,
  );
  figure('p50, p99 (the provider takes 50 ms)', `${median}, ${p99}`);
  figure(`streams of ${STREAM_SECONDS} s, broken`, `${outcomes.length}, ${broken.length}`);
  assert.deepEqual(tally(answers), { 200: answers.length });
  assert.deepEqual(
    broken.map(({ status, error }) => ({ status, error })),
    [],
  );
  await assertExact(world, licenseId, served(answers) + outcomes.length);
}

/** Complete, to its last event. */
export function isWhole({ status, error, body }: StreamOutcome): boolean {
  return status === 200 && error === undefined && body.endsWith('data: [DONE]\n\n');
}

/** Waits until HAProxy sends requests to so many gateways, and no more of them are there. */
export async function ready({ stack }: World, gateways: number): Promise<void> {
  await eventually(async () => {
    assert.equal((await stack.containers('gateway')).length, gateways);
    assert.equal(await stack.readyGateways(), gateways);
  }, PATIENCE);
}

/** How many gateways have not logged a request under /proxy yet. */
async function idleGateways({ stack }: World): Promise<number> {
  const gateways = await stack.containers('gateway');
  const logs = await Promise.all(gateways.map(({ Id }) => docker(['logs', Id])));
  return logs.filter((log) => !log.includes('"provider":"openai"')).length;
}
