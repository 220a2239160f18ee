import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Knex } from 'knex';
import type { RedisAdmission } from '../../src/quota/redis-admission.ts';
import { wireRedisCounting } from '../../src/redis-counting.ts';
import { openRedis, type RedisClient } from '../../src/stores/redis.ts';
import type { StreamFold } from '../../src/usage/stream-fold.ts';
import { openLedgerDatabase, type AdmissionWorld } from './admission-world.ts';
import { FakeClock } from './fake-clock.ts';
import { testRedisUrl } from './servers/databases.ts';

const INSTANCES = 4;
/** Milliseconds. */
const PATIENCE = 30_000;

/** Several instances on the tests' Redis, each with connections of its own, as gateways have. */
export interface RedisWorld extends AdmissionWorld {
  readonly redis: Redis;
  readonly prefix: string;
  /** Deletes this world's keys whose names match, by default all of them. */
  deleteKeys(matching?: RegExp): Promise<number>;
}

interface Instance {
  admission: RedisAdmission;
  fold: StreamFold;
  connections: { counters: RedisClient; folding: RedisClient };
}

/** @param clock without it the instances go by Redis' own */
export async function openRedisWorld(clock: FakeClock | undefined): Promise<RedisWorld> {
  const database = await openLedgerDatabase();
  const { knex } = database;
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const faults: unknown[] = [];
  const instances = await Promise.all(
    Array.from({ length: INSTANCES }, () => openInstance({ knex, prefix, clock, faults })),
  );
  const redis = new Redis(testRedisUrl());
  let readings = 0;
  knex.on('query', ({ sql }: { sql: string }) => {
    if (sql.includes('from "usage"') && sql.includes('folded_to')) readings += 1;
  });
  const deleteKeys = async (matching = /^/): Promise<number> => {
    const keys = (await redis.keys(`${prefix}:*`)).filter((key) => matching.test(key));
    return keys.length === 0 ? 0 : redis.del(keys);
  };
  return {
    clock: clock ?? new FakeClock(new Date().toISOString()),
    knex,
    redis,
    prefix,
    admissions: instances.map(({ admission }) => admission),
    readings: () => readings,
    deleteKeys,
    async loseCounters() {
      const [any] = instances;
      for (const stream of any?.admission.datasets.verified() ?? []) await any?.fold.fold(stream);
      await deleteKeys();
    },
    async close() {
      await Promise.all(instances.map(({ admission }) => admission.close()));
      await Promise.all(instances.map(({ fold }) => fold.stop()));
      await deleteKeys();
      const connections = instances.flatMap((instance) => Object.values(instance.connections));
      for (const connection of [redis, ...connections]) connection.disconnect();
      await database.close();
      assert.deepEqual(faults, []);
    },
  };
}

/** As a gateway's, but it waits longer for Redis: what is tested here is exactness. */
async function openInstance(options: {
  knex: Knex;
  prefix: string;
  clock: FakeClock | undefined;
  faults: unknown[];
}): Promise<Instance> {
  const { knex, prefix, clock, faults } = options;
  const address = { urls: [testRedisUrl()], isCluster: false };
  const open = (): RedisClient => openRedis(address, (error) => void faults.push(error));
  const connections = { counters: open(), folding: open() };
  const opening = Object.values(connections);
  await Promise.all(opening.map((connection) => connection.connect())).catch((error: unknown) => {
    for (const connection of opening) connection.disconnect();
    throw error;
  });
  const report = { failed: (error: unknown) => void faults.push(error), succeeded: () => undefined };
  const parts = wireRedisCounting({ knex, connections, prefix, timeoutMs: PATIENCE, clock, report });
  await parts.admission.datasets.verify();
  return { ...parts, connections };
}
