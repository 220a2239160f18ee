import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { Redis } from 'ioredis';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { testRedisUrl } from '../support/servers/databases.ts';
import { chatStatus } from '../support/proxy-call.ts';

/** Every row of every table, as text. */
async function dumpDatabase({ gateway: { knex } }: TestGateway): Promise<string> {
  const tables = await knex('pg_tables')
    .where({ schemaname: 'public' })
    .select<{ tablename: string }[]>('tablename');
  const texts: string[] = [];
  for (const { tablename } of tables) {
    const rows = await knex(tablename).select<{ row: string }[]>(knex.raw('??::text AS row', [tablename]));
    texts.push(...rows.map(({ row }) => row));
  }
  return texts.join('\n');
}

/** Every key and value of the gateway's own. */
async function dumpRedis(redis: Redis, prefix: string): Promise<string> {
  const keys = await redis.keys(`${prefix}*`);
  const values = await Promise.all(keys.map((key) => redis.dump(key)));
  return [...keys, ...values.map(String)].join('\n');
}

it('PostgreSQL and Redis hold hashes of keys, and prefixes too short to use', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const redis = new Redis(testRedisUrl());
  t.after(() => redis.disconnect());
  const { licenseId, licenseKey, proxyKey } = await gateway.device();
  assert.equal(await chatStatus(gateway, proxyKey), 200);

  const database = await dumpDatabase(gateway);
  assert.ok(database.includes(licenseId) && database.includes('hw-test'), 'the dump holds the license');
  const counters = await dumpRedis(redis, gateway.env.REDIS_PREFIX ?? '');
  assert.ok(counters.includes(licenseId), "the dump holds the license's counters");
  for (const key of [licenseKey, proxyKey]) {
    const hash = createHash('sha256').update(key).digest();
    assert.ok(database.includes(`\\x${hash.toString('hex')}`), 'its SHA-256 is there');
    for (const dump of [database, counters]) {
      for (const part of [key, key.slice(0, 16), key.slice(-16)]) assert.ok(!dump.includes(part));
    }
  }
});
