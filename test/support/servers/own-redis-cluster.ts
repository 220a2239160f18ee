import { Redis } from 'ioredis';
import { eventually } from '../eventually.ts';
import { findRedis } from './find-programs.ts';
import { installPackage, installProblem } from './install.ts';
import { startRedisProcess } from './own-redis-process.ts';
import type { OwnRedis } from './own-redis.ts';
import { freePort } from './processes.ts';

const SLOTS = 16_384;

/** A Redis Cluster that one test has for itself. */
export interface OwnRedisCluster {
  /** REDIS_URL: all of its masters, separated by commas. */
  readonly url: string;
  readonly masters: readonly OwnRedis[];
  /** The replica of the first master. */
  readonly replica: OwnRedis;
  stop(): Promise<void>;
}

/** Starts three masters, which share the slots, and a replica of the first, and waits until they agree. */
export async function startOwnRedisCluster(): Promise<OwnRedisCluster> {
  const program = await redisProgram();
  const nodes = await Promise.all(Array.from({ length: 4 }, () => startNode(program)));
  const [first, second, third, replica] = nodes;
  if (!first || !second || !third || !replica) throw new Error('four nodes were to be started');
  const masters = [first, second, third];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(({ server }) => server.stop()));
  };
  try {
    await join(nodes);
    await assignSlots(masters);
    await follow(replica, first);
    await eventually(() => assertHealthy(nodes), 20_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: masters.map(({ server }) => server.url).join(','),
    masters: masters.map(({ server }) => server),
    replica: replica.server,
    stop,
  };
}

interface Node {
  server: OwnRedis;
  busPort: number;
}

/** Always a process: nodes in containers would tell their clients addresses that lead nowhere. */
async function startNode(program: string): Promise<Node> {
  const busPort = await freePort();
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  const server = await startRedisProcess(program, { args: [...args, '--cluster-node-timeout', '1000'] });
  return { server, busPort };
}

/** The program, installed first where that is possible. @throws if there is none */
async function redisProgram(): Promise<string> {
  const present = findRedis(process.env);
  if (present !== undefined) return present;
  const problem = installProblem();
  if (problem === undefined) await installPackage('redis-server', { say: console.log });
  const installed = findRedis(process.env);
  if (installed === undefined)
    throw new Error(`a cluster needs redis-server (7.0 or newer): ${problem ?? 'not found'}`);
  return installed;
}

async function call<T>({ server }: Node, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function join([first, ...others]: Node[]): Promise<void> {
  if (first === undefined) return;
  for (const node of others) {
    await call(node, (redis) =>
      redis.call('CLUSTER', 'MEET', '127.0.0.1', String(first.server.port), String(first.busPort)),
    );
  }
}

async function assignSlots(masters: Node[]): Promise<void> {
  const share = Math.ceil(SLOTS / masters.length);
  for (const [index, node] of masters.entries()) {
    const last = Math.min(SLOTS, (index + 1) * share) - 1;
    await call(node, (redis) => redis.call('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last)));
  }
}

async function follow(replica: Node, master: Node): Promise<void> {
  const id = await call(master, (redis) => redis.call('CLUSTER', 'MYID'));
  // Possible once the two have heard of each other.
  await eventually(() => call(replica, (redis) => redis.call('CLUSTER', 'REPLICATE', String(id))), 20_000);
}

async function assertHealthy(nodes: Node[]): Promise<void> {
  for (const node of nodes) {
    const info = await call(node, (redis) => redis.call('CLUSTER', 'INFO'));
    if (!String(info).includes('cluster_state:ok')) throw new Error('the cluster is not whole yet');
    const known = /cluster_known_nodes:(\d+)/.exec(String(info))?.[1];
    if (Number(known) !== nodes.length) throw new Error(`a node knows ${known ?? 'none'} of ${nodes.length}`);
  }
  const replica = nodes.at(-1);
  const state = replica && (await call(replica, (redis) => redis.info('replication')));
  if (!(state ?? '').includes('master_link_status:up'))
    throw new Error('the replica has no link to its master yet');
}
