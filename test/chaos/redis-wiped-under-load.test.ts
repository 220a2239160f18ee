import assert from 'node:assert/strict';
import { it } from 'node:test';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { outcomes, startLoad } from '../support/steady-load.ts';

// quality.md B3, contract §7.4: what Redis is made to forget is in PostgreSQL, or in the memory of who was told of it.
it('a Redis that comes back empty under load lets none through that the limit has no room for', async (t) => {
  const redis = await startOwnRedis();
  t.after(() => redis.stop());
  const one = await startTestGateway({ env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' } });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const limit = 500;
  const device = await one.device({ daily_limit: limit });
  const stream = await openStream(one, device);
  const load = startLoad([one, other], device.proxyKey);
  for (let wiped = 0; wiped < 2; wiped += 1) {
    const before = load.shots.length;
    await eventually(() => assert.ok(load.shots.length > before + 100), 10_000);
    await redis.kill();
    await redis.restart({ empty: true });
  }
  await eventually(() => assert.ok(load.shots.some(({ status }) => status === 429)), 20_000);
  const shots = await load.stop();
  assert.ok(stream.isOpen(), 'a stream goes on meanwhile');
  stream.leave();
  await stream.over;
  const received = one.simulator.requests.length;
  const counts = await agreeOn(one, device.licenseId, received);
  t.diagnostic(
    `${JSON.stringify(outcomes(shots))}; over-admitted ${received - limit} (promised: at most what 2 s admitted); ` +
      `at rest ${JSON.stringify(counts)}`,
  );
  assert.equal(received, limit, 'nothing was lost, and nothing was forgotten');
});
