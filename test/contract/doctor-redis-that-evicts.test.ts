import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Redis } from 'ioredis';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { startOwnRedis, type OwnRedis } from '../support/servers/own-redis.ts';

let redis: OwnRedis;
before(async () => {
  redis = await startOwnRedis({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] });
});
after(() => redis.stop());

it('a Redis that may throw counters away fails, until its policy is what the finding says', async () => {
  const env = { DATABASE_URL: (await createTestDatabase()).url, REDIS_URL: redis.url };
  const sick = await examined(env);
  assert.equal(sick.code, 1);
  const [eviction = ''] = foundOf(sick, 'redis eviction');
  assert.match(eviction, /^fail: maxmemory-policy allkeys-lru -> CONFIG SET maxmemory-policy noeviction/);
  assert.match(
    foundOf(sick, 'redis persistence').join(),
    /^warn: appendonly no -> CONFIG SET appendonly yes/,
  );
  assert.match(foundOf(sick, 'redis memory').join(), /^ok: \d+ MB used of 100 MB$/);

  await command(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
  assert.deepEqual(foundOf(await examined(env), 'redis eviction'), ['ok: maxmemory-policy noeviction']);
});

async function command([name = '', ...args]: string[]): Promise<void> {
  const client = new Redis(redis.url);
  await client.call(name, ...args);
  client.disconnect();
}
