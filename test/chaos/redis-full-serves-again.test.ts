import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Redis } from 'ioredis';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';
import { startOwnRedis, type OwnRedis } from '../support/servers/own-redis.ts';

for (const [what, begin, end] of [
  ['is full', 'CONFIG SET maxmemory 1mb', 'CONFIG SET maxmemory 0'],
  ['was made a replica', 'REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE'],
] as const) {
  it(`a Redis that ${what} refuses with 503, counts nothing, and serves again without a restart`, async (t) => {
    const redis = await startOwnRedis();
    t.after(() => redis.stop());
    const gateway = await startTestGateway({ env: { REDIS_URL: redis.url } });
    t.after(() => gateway.close());
    const device = await gateway.device({ daily_limit: 10 });
    assert.equal((await chat(gateway, device.proxyKey)).status, 200);
    await tell(redis, begin);
    for (let turn = 0; turn < 5; turn += 1) {
      const refused = await chat(gateway, device.proxyKey);
      assert.equal(refused.status, 503);
      assert.match(refused.text, /counters_unavailable/);
    }
    await tell(redis, end);
    await eventually(async () => assert.equal((await chat(gateway, device.proxyKey)).status, 200), 5_000);
    await agreeOn(gateway, device.licenseId, 2);
  });
}

async function tell({ url }: OwnRedis, command: string): Promise<void> {
  const redis = new Redis(url);
  const [name = '', ...args] = command.split(' ');
  await redis.call(name, args);
  redis.disconnect();
}
