import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Knex } from 'knex';
import { partitionNames, partitionOf, streamKey } from '../../src/quota/partitions.ts';
import { RedisAdmission } from '../../src/quota/redis-admission.ts';
import { isoDay } from '../../src/quota/windows.ts';
import { StreamFold } from '../../src/usage/stream-fold.ts';
import { ledgerSource, openLedgerDatabase, type AdmissionWorld } from './admission-world.ts';
import type { FakeClock } from './fake-clock.ts';
import { testRedisUrl } from './servers/databases.ts';

const INSTANCES = 4;

/** Several instances on the tests' Redis, each with connections of its own, as gateways have. */
export interface RedisWorld extends AdmissionWorld {
  readonly redis: Redis;
  readonly prefix: string;
  /** Deletes this world's keys whose names match, by default all of them. */
  deleteKeys(matching?: RegExp): Promise<number>;
}

interface Instance {
  admission: RedisAdmission;
  source: ReturnType<typeof ledgerSource>;
  fold: StreamFold;
  redis: Redis;
}

export async function openRedisWorld(clock: FakeClock): Promise<RedisWorld> {
  const database = await openLedgerDatabase();
  const { knex } = database;
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const faults: unknown[] = [];
  const instances = Array.from({ length: INSTANCES }, () => openInstance({ knex, prefix, clock, faults }));
  const redis = new Redis(testRedisUrl());
  const deleteKeys = async (matching = /^/): Promise<number> => {
    const keys = (await redis.keys(`${prefix}:*`)).filter((key) => matching.test(key));
    return keys.length === 0 ? 0 : redis.del(keys);
  };
  return {
    clock,
    knex,
    redis,
    prefix,
    admissions: instances.map(({ admission }) => admission),
    readings: () => instances.reduce((sum, { source }) => sum + source.readings, 0),
    deleteKeys,
    async loseCounters() {
      const [any] = instances;
      for (const partition of partitionNames) await any?.fold.fold(partition);
      await deleteKeys();
    },
    async close() {
      await Promise.all(instances.map(({ fold }) => fold.close()));
      await deleteKeys();
      for (const connection of [redis, ...instances.map((instance) => instance.redis)])
        connection.disconnect();
      await database.close();
      assert.deepEqual(faults, []);
    },
  };
}

/** Wired as src/counting.ts does it, but on a connection that waits longer: what is tested here is exactness. */
function openInstance(options: {
  knex: Knex;
  prefix: string;
  clock: FakeClock;
  faults: unknown[];
}): Instance {
  const { knex, prefix, clock, faults } = options;
  const redis = new Redis(testRedisUrl());
  const fold = new StreamFold({
    db: knex,
    redis,
    streams: partitionNames.map((source) => ({ source, key: streamKey(prefix, source) })),
    isoDay,
    report: { failed: (error) => void faults.push(error), succeeded: () => undefined },
  });
  const source = ledgerSource(knex, (licenseId) => fold.fold(partitionOf(licenseId)));
  return { admission: new RedisAdmission({ redis, prefix, source, clock }), source, fold, redis };
}
