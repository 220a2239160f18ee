import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openRedis } from '../../src/stores/redis.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { testRedisUrl } from '../support/servers/databases.ts';

it('an answer that came while the process was busy is not too late', async (t) => {
  const redis = openRedis(testRedisUrl(), (error) => assert.fail(error));
  t.after(() => redis.disconnect());
  await redis.connect();
  const asked = Array.from({ length: 500 }, () => redis.ping());
  const busyUntil = performance.now() + 400;
  while (performance.now() < busyUntil);
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(['PONG']));
});

it('a Redis that hangs is given up within 200 ms', async (t) => {
  const server = await startOwnRedis();
  t.after(() => server.stop());
  const redis = openRedis(server.url, () => undefined);
  t.after(() => redis.disconnect());
  await redis.connect();
  await server.pause();
  t.after(() => server.resume());
  const waits: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now();
    await assert.rejects(redis.ping(), /did not answer within 150 ms/);
    waits.push(performance.now() - began);
  }
  // The shortest: other processes of this machine may delay any single one.
  assert.ok(Math.min(...waits) < 200, `given up after ${waits.map(Math.round).join(', ')} ms`);
});
