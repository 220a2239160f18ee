import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepDump, rememberSecret } from '../output.ts';
import { createTestDatabase, testRedisUrl } from '../servers/databases.ts';
import { startOwnPostgres, type OwnPostgres } from '../servers/own-postgres.ts';
import { startOwnRedis, type OwnRedis } from '../servers/own-redis.ts';
import { removeFolder } from '../servers/run-context.ts';
import { ANTHROPIC_KEY, OPENAI_KEY, startSimulator, type Simulator } from '../simulator/simulator.ts';
import { startBalancer, type Balancer } from './balancer.ts';
import { Customers } from './customers.ts';
import type { BalancerTimes } from './haproxy-config.ts';
import { Member } from './member.ts';
import { reservePorts } from './ports.ts';

export interface ClusterOptions {
  /** Default: 4. */
  readonly gateways?: number;
  /** One of its own, with an append-only file, to break. Default: the suite's, under a prefix of its own. */
  readonly redis?: 'own';
  /** One of its own to break. Default: a new database of the suite's. */
  readonly postgres?: 'own';
  /** Settings on top of the cluster's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** HAProxy in front. Default: none. */
  readonly balancer?: true | BalancerTimes;
  /** TOML in place of the built-in tiers. */
  readonly tiers?: string;
}

/** Gateways in processes of their own, the stores that they share, HAProxy before them and the provider behind. */
export interface Cluster {
  readonly members: readonly [Member, ...Member[]];
  /** Where clients go: HAProxy, or the first gateway where there is none. */
  readonly url: string;
  readonly simulator: Simulator;
  readonly customers: Customers;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly redisPrefix: string;
  /** There if it was asked for. */
  readonly redis: OwnRedis | undefined;
  readonly postgres: OwnPostgres | undefined;
  readonly balancer: Balancer | undefined;
  /** Ends everything that was started. */
  stop(): Promise<void>;
}

/** Starts a cluster; what had started is stopped again when something does not. The gateways start all at once. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await build(options, (close) => closers.push(close), stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  options: ClusterOptions,
  onStop: (close: () => unknown) => void,
  stop: () => Promise<void>,
): Promise<Cluster> {
  const simulator = await startSimulator();
  onStop(() => simulator.close());
  const redis = options.redis === 'own' ? await startOwnRedis({ appendOnly: true }) : undefined;
  if (redis !== undefined) onStop(() => redis.stop());
  const postgres = options.postgres === 'own' ? await startOwnPostgres() : undefined;
  if (postgres !== undefined) onStop(() => postgres.stop());
  const stores = {
    databaseUrl: postgres?.url ?? (await createTestDatabase()).url,
    redisUrl: redis?.url ?? testRedisUrl(),
    redisPrefix: `test-${randomBytes(6).toString('hex')}`,
  };
  const folder = mkdtempSync(join(tmpdir(), 'licensify-cluster-'));
  onStop(() => removeFolder(folder));
  const adminToken = `admin-${randomBytes(24).toString('hex')}`;
  for (const secret of [adminToken, OPENAI_KEY, ANTHROPIC_KEY]) rememberSecret(secret);
  const env = {
    DATA_DIR: folder,
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    REDIS_PREFIX: stores.redisPrefix,
    ADMIN_TOKEN: adminToken,
    OPENAI_API_KEY: OPENAI_KEY,
    ANTHROPIC_API_KEY: ANTHROPIC_KEY,
    OPENAI_BASE_URL: simulator.url,
    ANTHROPIC_BASE_URL: simulator.url,
    TIERS_FILE: tiersFile(folder, options.tiers),
    // So that an address that is counted for wrong keys is the client's, not HAProxy's.
    TRUST_PROXY: options.balancer === undefined ? '0' : '1',
    ...options.env,
  };
  const members = await startMembers(options.gateways ?? 4, folder, env, onStop);
  const times = options.balancer === true ? {} : options.balancer;
  const balancer = times === undefined ? undefined : await startBalancer(members, times);
  if (balancer !== undefined) onStop(() => balancer.stop());
  const url = balancer?.url ?? members[0].url;
  const customers = new Customers({ url, adminToken });
  return { members, url, simulator, customers, ...stores, redis, postgres, balancer, stop };
}

async function startMembers(
  count: number,
  cwd: string,
  env: Record<string, string | undefined>,
  onStop: (close: () => unknown) => void,
): Promise<[Member, ...Member[]]> {
  const ports = await reservePorts(2 * count);
  const members = Array.from({ length: count }, (_, index) => {
    const [port = 0, internalPort = 0] = ports.slice(2 * index, 2 * index + 2);
    return new Member({ name: `gateway-${index + 1}`, port, internalPort, cwd, env });
  });
  onStop(() => Promise.all(members.map(endMember)));
  await Promise.all(members.map((member) => member.start()));
  const [first, ...others] = members;
  if (first === undefined) throw new Error('a cluster has one gateway at least');
  return [first, ...others];
}

/** Its metrics are kept for the leak scan; how it ends is none of the tests that come after. */
async function endMember(member: Member): Promise<void> {
  if (!member.isRunning()) return;
  const metrics = await member.metrics().catch(() => undefined);
  if (metrics !== undefined) keepDump('metrics', metrics);
  member.resume(); // a paused process does not see what it is sent
  await member.end('SIGKILL');
}

function tiersFile(folder: string, toml: string | undefined): string | undefined {
  if (toml === undefined) return undefined;
  const file = join(folder, 'tiers.toml');
  writeFileSync(file, toml);
  return file;
}
