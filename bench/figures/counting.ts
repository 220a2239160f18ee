import type { Knex } from 'knex';
import { Redis } from 'ioredis';
import type { Call } from '../../src/quota/admission.ts';
import type { RedisAdmission } from '../../src/quota/redis-admission.ts';
import { wireRedisCounting } from '../../src/redis-counting.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { openRedis, type RedisClient } from '../../src/stores/redis.ts';
import type { StreamFold } from '../../src/usage/stream-fold.ts';
import type { RunContext } from '../../test/support/servers/run-context.ts';
import { startStores } from '../stores.ts';

/** Redis may be slow on a machine that is busy otherwise; what is decided late is measured, too. Milliseconds. */
const PATIENCE = 10_000;

/** A gateway's counting in this process, without a gateway. Nothing is folded but when asked. */
export interface Counting {
  readonly admission: RedisAdmission;
  readonly fold: StreamFold;
  /** For asking Redis about itself. */
  readonly redis: Redis;
  /** How many requests the ledger holds in all. */
  booked(): Promise<number>;
}

/** Opens it on stores of the run's own. */
export async function openCounting(context: RunContext): Promise<Counting> {
  const { closers, runId } = context;
  const stores = await startStores({ ...context, runId: `${runId}c` });
  const database = openPostgres(stores.databaseUrl);
  closers.add('the connections to PostgreSQL', () => database.close());
  await database.migrate();
  const fault = (error: unknown): void => console.error(error);
  const open = async (): Promise<RedisClient> => {
    const client = openRedis({ urls: [stores.redisUrl], isCluster: false }, fault);
    closers.add('a connection to Redis', () => client.quit());
    await client.connect();
    return client;
  };
  const connections = { counters: await open(), folding: await open() };
  const redis = new Redis(stores.redisUrl);
  closers.add('the connection to Redis', () => redis.quit());
  const prefix = `bench-${runId}c`;
  const { admission, fold } = wireRedisCounting({
    ...{ knex: database.ledger, connections, prefix, timeoutMs: PATIENCE },
    report: { failed: fault, succeeded: () => undefined },
  });
  await admission.datasets.verify();
  await fold.stop();
  closers.add('the counting', () => admission.close());
  return { admission, fold, redis, booked: () => bookedIn(database.ledger) };
}

/** Calls of so many licenses, one each. */
export function callsOf(licenses: number): Call[] {
  return Array.from({ length: licenses }, (_, index) => ({
    ...{ licenseId: `lic_bench${index}`, deviceId: index + 1, provider: 'openai', model: 'gpt-4o-mini' },
  }));
}

/** Admits these calls again and again, so many at a time. @throws Error if one is not admitted */
export async function admitAll(
  admission: RedisAdmission,
  calls: Iterator<Call, undefined>,
  atOnce: number,
): Promise<number[]> {
  const times: number[] = [];
  const work = async (): Promise<void> => {
    for (let call = calls.next().value; call !== undefined; call = calls.next().value) {
      const began = performance.now();
      const decision = await admission.admit(call, { daily: 100_000_000, monthly: -1 });
      times.push(performance.now() - began);
      if (decision.outcome !== 'admitted') throw new Error(`a call was answered with ${decision.outcome}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return times;
}

async function bookedIn(db: Knex): Promise<number> {
  const row = await db('usage').sum<{ sum: string | null }>({ sum: 'requests' }).first();
  return Number(row?.sum ?? 0);
}
