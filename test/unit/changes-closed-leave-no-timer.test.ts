import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { it } from 'node:test';
import type { Redis } from 'ioredis';
import { RedisChanges } from '../../src/licensing/redis-changes.ts';

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

it('an announcement that fails because everything is being closed starts no timer', async () => {
  const before = timers();
  const { promise, reject } = Promise.withResolvers<number>();
  const publisher = { publish: () => promise } as unknown as Redis;
  const changes = new RedisChanges(publisher, new EventEmitter() as unknown as Redis, 'test');
  const announced = changes.announce('lic_1');
  changes.close();
  reject(new Error('Connection is closed.'));
  await announced;
  assert.equal(timers(), before);
});
