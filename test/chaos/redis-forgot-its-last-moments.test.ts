import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Redis } from 'ioredis';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';

// A replica that took over before it had everything, or a backup: the same Redis as before, as it was a while ago.
for (const remembered of ['nothing', 'half'] as const) {
  it(`a Redis that comes back as it was before the last admissions, of which the ledger has ${remembered}`, async (t) => {
    const redis = await startOwnRedis({ args: ['--save', '3600', '1000000'] });
    t.after(() => redis.stop());
    const one = await startTestGateway({ env: { REDIS_URL: redis.url } });
    t.after(() => one.close());
    const other = await startTestGateway({ joins: one });
    t.after(() => other.close());
    const device = await one.device({ daily_limit: 60 });
    const send = async (times: number): Promise<number[]> =>
      Promise.all(
        Array.from({ length: times }, (_, turn) => chatStatus(turn % 2 === 0 ? one : other, device.proxyKey)),
      );
    await send(20);
    await agreeOn(one, device.licenseId, 20);
    const direct = new Redis(redis.url);
    await direct.save();
    direct.disconnect();
    await send(10);
    if (remembered === 'half') await agreeOn(one, device.licenseId, 30);
    await send(10);
    await redis.kill();
    await redis.restart();
    await eventually(async () => assert.deepEqual(await send(1), [200]), 5_000);
    await agreeOn(one, device.licenseId, one.simulator.requests.length);
    const after = await send(60);
    assert.equal(one.simulator.requests.length, 60, `exactly the limit: ${after.join(' ')}`);
    await agreeOn(other, device.licenseId, 60);
  });
}
