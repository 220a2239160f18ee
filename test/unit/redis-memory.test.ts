import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fullestOf, RedisMemory } from '../../src/stores/redis-memory.ts';
import type { RedisClient } from '../../src/stores/redis.ts';

it('of a cluster, the node nearest to its maximum is told, or without one the largest', () => {
  const [large, full] = [
    { used: 80, max: 1_000 },
    { used: 50, max: 60 },
  ];
  assert.equal(fullestOf([large, full]), full);
  assert.deepEqual(
    fullestOf([
      { used: 1, max: 0 },
      { used: 2, max: 0 },
    ]),
    { used: 2, max: 0 },
  );
});

it('scrapes that follow each other ask Redis once, and one that hangs holds none up for long', async () => {
  let asked = 0;
  const hanging = {
    nodes: () => [{ info: () => ((asked += 1), new Promise<string>(() => undefined)) }],
  } as unknown as RedisClient;
  const memory = new RedisMemory(hanging);
  const began = performance.now();
  assert.deepEqual(await Promise.all([memory.use(), memory.use(), memory.use()]), [
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(asked, 1);
  assert.ok(performance.now() - began < 5_000);
});
