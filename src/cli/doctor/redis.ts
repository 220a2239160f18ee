import type { Config } from '../../config.ts';
import {
  describeRedis,
  locateRedis,
  openRedis,
  type RedisAddress,
  type RedisClient,
} from '../../stores/redis.ts';
import { fullestOf, mastersOf, parseInfo } from '../../stores/redis-memory.ts';
import { reasonOf } from '../terminal.ts';
import { failure, fine, warning, type Finding } from './finding.ts';

/** The scripts and streams need 6.2: docs/operations.md. */
const OLDEST_VERSION = [6, 2] as const;
/** Milliseconds. */
const ANSWER_LIMIT = 2_000;
const TRIES = 5;
/** Of `maxmemory`. */
const FULL = 0.8;

export interface OpenedRedis {
  readonly redis: { client: RedisClient; address: RedisAddress } | undefined;
  readonly findings: Finding[];
}

export async function openForDoctor({ redisUrl, databaseUrl, redisTimeoutMs }: Config): Promise<OpenedRedis> {
  if (redisUrl === undefined) return { redis: undefined, findings: [withoutRedis(databaseUrl)] };
  let client: RedisClient | undefined;
  let problem: Error | undefined;
  try {
    const address = await locateRedis(redisUrl);
    client = openRedis(address, (error) => (problem = error), { timeoutMs: ANSWER_LIMIT });
    await client.connect();
    const redis = { client, address };
    return { redis, findings: await serverFindings(redis, redisTimeoutMs) };
  } catch (error) {
    client?.disconnect();
    const place = describeRedis({ urls: redisUrl.split(',').map((url) => url.trim()), isCluster: false });
    const found = `${place} cannot be used: ${reasonOf(problem ?? error)}`;
    const fix = 'correct REDIS_URL, start Redis, or let this machine through';
    return { redis: undefined, findings: [failure('redis', found, fix)] };
  }
}

function withoutRedis(databaseUrl: string | undefined): Finding {
  const found = 'REDIS_URL is not set: each instance counts for itself';
  if (databaseUrl === undefined) return fine('redis', found);
  return warning('redis', found, 'run one instance only, or set REDIS_URL to share the counters');
}

async function serverFindings(
  { client, address }: { client: RedisClient; address: RedisAddress },
  timeoutMs: number,
): Promise<Finding[]> {
  const nodes = mastersOf(client);
  const facts = await Promise.all(nodes.map(async (node) => parseInfo(await node.info())));
  const versions = [...new Set(facts.map(({ redis_version: version = '?' }) => version))].join(', ');
  const latency = await latencyOf(client);
  const size = address.isCluster ? ` of ${nodes.length} masters` : '';
  const found = `${describeRedis(address)}${size}, version ${versions}, answers in ${latency.toFixed(1)} ms`;
  const findings = [verdictOn(facts, latency, timeoutMs, found)];
  findings.push(persistence(facts), eviction(facts), memory(facts));
  return findings;
}

type Info = Partial<Record<string, string>>;

function verdictOn(facts: readonly Info[], latency: number, timeoutMs: number, found: string): Finding {
  if (facts.some(({ role }) => role !== 'master'))
    return failure('redis', `${found}; it is a replica`, 'point REDIS_URL to the master');
  if (facts.some(isTooOld))
    return failure('redis', found, `upgrade to Redis ${OLDEST_VERSION.join('.')} or newer`);
  if (latency > timeoutMs / 10) {
    const fix = `bring it nearer to the gateway: each request waits for it, ${timeoutMs} ms at most (REDIS_TIMEOUT_MS)`;
    return warning('redis', found, fix);
  }
  return fine('redis', found);
}

function isTooOld({ redis_version: version = '' }: Info): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]);
}

function persistence(facts: readonly Info[]): Finding {
  if (facts.every(({ aof_enabled: enabled }) => enabled === '1'))
    return fine('redis persistence', 'appendonly yes');
  const fix =
    'CONFIG SET appendonly yes, and in redis.conf: else each restart starts the counters from the ledger';
  return warning('redis persistence', 'appendonly no', fix);
}

/** Whatever the policy, nothing is evicted while there is no maximum. */
function eviction(facts: readonly Info[]): Finding {
  const policies = [...new Set(facts.map(({ maxmemory_policy: policy = '?' }) => policy))];
  const found = `maxmemory-policy ${policies.join(', ')}`;
  if (policies.every((policy) => policy === 'noeviction')) return fine('redis eviction', found);
  const fix =
    'CONFIG SET maxmemory-policy noeviction, and in redis.conf: a counter or an event that is thrown away is lost';
  return failure('redis eviction', found, fix);
}

function memory(facts: readonly Info[]): Finding {
  const uses = facts.map((info) => ({ used: Number(info.used_memory), max: Number(info.maxmemory) }));
  const fullest = fullestOf(uses) ?? { used: 0, max: 0 };
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1_048_576)} MB`;
  const found = `${megabytes(fullest.used)} used of ${fullest.max === 0 ? 'no maximum' : megabytes(fullest.max)}`;
  if (fullest.max === 0 || fullest.used / fullest.max <= FULL) return fine('redis memory', found);
  return warning(
    'redis memory',
    found,
    'raise maxmemory: a full Redis refuses to count (docs/operations.md, Sizing)',
  );
}

/** The best of some tries. Milliseconds. */
async function latencyOf(client: RedisClient): Promise<number> {
  let best = Infinity;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const began = performance.now();
    await client.ping();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}
