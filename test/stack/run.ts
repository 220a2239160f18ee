import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Customers } from '../support/cluster/customers.ts';
import { settledWithin } from '../support/servers/closers.ts';
import {
  containersAreHardened,
  gatewayStopsCleanly,
  onlyTheLoadBalancerIsPublished,
  redisIsDurableAndClosed,
} from './checks/containers.ts';
import { forgedAddressesHelpNobody, rotatedKeyIsTakenOver, withoutGatewaysItSaysSo } from './checks/edges.ts';
import { killFailsOnlyItsOwn } from './checks/killing.ts';
import { alertRulesPassTheirTests, monitoringSeesEverything } from './checks/monitoring.ts';
import { abortReachesTheProvider, http2Works, requestsAndStreamsPass } from './checks/requests.ts';
import { ready, rollingUpdateFailsNoRequest, scalingFailsNoRequest } from './checks/scaling.ts';
import { tlsWorks } from './checks/tls.ts';
import { figure, section, since } from './figures.ts';
import { docker, Stack } from './stack.ts';
import type { World } from './world.ts';

const HELP = `node test/stack/run.ts [--override FILE…]

Starts docker-compose.yml as it stands, all but Grafana, with three gateways and a simulated provider beside it, proves
what the scaled shape promises, prints each figure, and takes everything down again.

  --override FILE   another compose file on top, such as one with other images`;

const LIMIT_MINUTES = 15;
const GATEWAYS = 3;

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const overrides = args.filter((_, index) => args[index - 1] === '--override');
  // Where test/support/cluster notes the keys that it makes.
  const notes = mkdtempSync(join(tmpdir(), 'licensify-stack-notes-'));
  process.env.TEST_OUTPUT_DIR = notes;
  const stack = await Stack.prepare(overrides);
  let exitCode = 0;
  try {
    await Promise.race([proveAll(stack), interruption()]);
    section('passed');
  } catch (error) {
    exitCode = 1;
    section('FAILED');
    console.error(error);
    await settledWithin(showTroubles(stack), 30_000);
  }
  await stack.remove().catch((error: unknown) => {
    console.error(error);
    exitCode = 1;
  });
  rmSync(notes, { recursive: true, force: true });
  return exitCode;
}

async function proveAll(stack: Stack): Promise<void> {
  section('Without its secrets the stack says what is missing');
  await assert.rejects(stack.compose(['up', '-d', 'haproxy']), /made-by-generate\.env/);
  await stack.generateSecrets();

  section(`Start: the image, and ${GATEWAYS} gateways`);
  const buildAt = performance.now();
  await stack.build();
  figure('image built in', `${since(buildAt)} ms`);
  const startAt = performance.now();
  await stack.start(GATEWAYS);
  figure('started, and all of them healthy, in', `${since(startAt)} ms`);
  const customers = new Customers({ url: stack.url, adminToken: stack.readSecret('admin_token') });
  const world: World = { stack, customers };
  await ready(world, GATEWAYS);

  const story: [string, () => Promise<void>][] = [
    ['Requests and streams pass, and are counted once', () => requestsAndStreamsPass(world)],
    ['A client that goes away ends its request at the provider', () => abortReachesTheProvider(world)],
    ['HTTP/2 in the clear', () => http2Works(world)],
    ['Containers: hardened', () => containersAreHardened(world)],
    ['Redis: durable, closed', () => redisIsDurableAndClosed(world)],
    ['Only the load balancer can be reached', () => onlyTheLoadBalancerIsPublished(world)],
    ['Monitoring', () => monitoringSeesEverything(world, GATEWAYS)],
    ['Alert rules', () => alertRulesPassTheirTests(world)],
    ['Scaling under load', () => scalingFailsNoRequest(world)],
    ['Every gateway replaced under load', () => rollingUpdateFailsNoRequest(world)],
    ['A gateway is killed under load', () => killFailsOnlyItsOwn(world)],
    ['Monitoring has followed', () => monitoringSeesEverything(world, GATEWAYS)],
    ['A gateway is told to stop', () => gatewayStopsCleanly(world)],
    ['TLS', () => tlsWorks(world)],
    ['Back to no TLS', () => plainAgain(world)],
    ['A rotated provider key', () => rotatedKeyIsTakenOver(world)],
    ['Forged client addresses', () => forgedAddressesHelpNobody(world)],
    ['No gateway at all', () => withoutGatewaysItSaysSo(world)],
  ];
  for (const [title, prove] of story) {
    section(title);
    await prove();
  }
}

async function plainAgain(world: World): Promise<void> {
  await world.stack.compose(['up', '-d', '--no-deps', 'haproxy']);
  await ready(world, GATEWAYS);
}

/** What a failure may have come from. */
async function showTroubles(stack: Stack): Promise<void> {
  for (const { Id, Name, State } of await stack.containers()) {
    const log = await docker(['logs', '--tail', '15', Id]).catch(String);
    console.error(`\n${Name}: ${State.Status} ${State.Health?.Status ?? ''}\n${log}`);
  }
}

function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => reject(new Error(`stopped by ${signal}`)));
    process.on('uncaughtException', reject);
    const message = `it did not end within ${LIMIT_MINUTES} minutes`;
    setTimeout(() => reject(new Error(message)), LIMIT_MINUTES * 60_000);
  });
}
