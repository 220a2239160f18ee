import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { DEFAULT_REDIS_TIMEOUT, openRedis } from '../../src/stores/redis.ts';
import { testRedisUrl } from '../support/servers/databases.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';

/** Once the first number is 1, asks Redis on a connection of its own, and sets the second when it was answered. */
const onlooker = `
  const { Redis } = require('ioredis');
  const { workerData, parentPort } = require('node:worker_threads');
  const flags = new Int32Array(workerData.flags);
  const redis = new Redis(workerData.url);
  redis.ping().then(async () => {
    parentPort.postMessage('ready');
    Atomics.wait(flags, 0, 0);
    await redis.ping();
    Atomics.store(flags, 1, 1);
    redis.disconnect();
  });`;

it('an answer that came while the process was busy is not too late', async (t) => {
  const timeoutMs = 200;
  const address = { urls: [testRedisUrl()], isCluster: false };
  const redis = openRedis(address, (error) => assert.fail(error), { timeoutMs });
  t.after(() => redis.disconnect());
  await redis.connect();
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(onlooker, {
    eval: true,
    workerData: { url: testRedisUrl(), flags: flags.buffer },
  });
  await new Promise((resolve) => worker.once('message', resolve));
  const asked = Array.from({ length: 500 }, () => redis.ping());
  const began = performance.now();
  Atomics.store(flags, 0, 1);
  Atomics.notify(flags, 0);
  // Redis answers in order: when it has answered the other, our answers are there. Longer than the silence after which
  // a connection is given up, too.
  while (performance.now() - began < 3_300 || Atomics.load(flags, 1) === 0);
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(['PONG']));
});

it('a Redis that hangs is given up within 200 ms', async (t) => {
  const server = await startOwnRedis();
  t.after(() => server.stop());
  const redis = openRedis({ urls: [server.url], isCluster: false }, () => undefined, {
    timeoutMs: DEFAULT_REDIS_TIMEOUT,
  });
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
