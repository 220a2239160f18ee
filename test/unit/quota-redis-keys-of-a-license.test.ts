import assert from 'node:assert/strict';
import { it } from 'node:test';
import { partitionOf } from '../../src/quota/partitions.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { openRedisWorld } from '../support/redis-world.ts';

const DAY = 86_400;

it('the keys of a license lie in one slot of a cluster, and its counters do not stay for ever', async (t) => {
  const world = await openRedisWorld(new FakeClock('2026-03-10T12:00:00Z'));
  t.after(() => world.close());
  const call = { licenseId: 'lic_slots', deviceId: 1, provider: 'openai', model: 'gpt-4o' };
  await world.admissions[0]?.admit(call, { daily: 10, monthly: 10 });

  const partition = partitionOf(call.licenseId);
  const keys = await world.redis.keys(`${world.prefix}:{${partition}}:*`);
  assert.equal(keys.length, 4, "a day, a month, a stream and the dataset's name");
  // Redis Cluster hashes what stands between the first pair of braces.
  const tags = new Set(keys.map((key) => /\{(.+?)\}/.exec(key)?.[1]));
  assert.equal(tags.size, 1);
  assert.match([...tags].join(), /^p\d\d$/);

  const ttlOf = async (kind: RegExp): Promise<number> =>
    world.redis.ttl(keys.find((key) => kind.test(key)) ?? '');
  const [day, month] = [await ttlOf(/:d:/), await ttlOf(/:m:/)];
  assert.ok(day > DAY && day <= 7 * DAY, `the day's counter outlives its day: ${day} s`);
  assert.ok(month > 31 * DAY && month <= 62 * DAY, `the month's counter outlives its month: ${month} s`);
});
