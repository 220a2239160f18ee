import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { outcomes, startLoad, waits } from '../support/steady-load.ts';

/** Milliseconds. The promise speaks of a minute, which the long rounds take. */
const PAUSE = process.env.TEST_CHAOS === 'long' ? 60_000 : 5_000;

// quality.md B5, B6: with the defaults of ioredis a request would wait for ever.
it('a Redis that hangs is answered for within 200 ms, with 503, and what it did late is taken back', async (t) => {
  const redis = await startOwnRedis();
  t.after(() => redis.stop());
  const gateway = await startTestGateway({ env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' } });
  t.after(() => gateway.close());
  const device = await gateway.device({ daily_limit: 100_000 });
  const stream = await openStream(gateway, device);
  const load = startLoad([gateway], device.proxyKey, { width: 20 });
  await eventually(() => assert.ok(load.shots.length > 100), 10_000);
  const heapBefore = process.memoryUsage().heapUsed;
  const paused = performance.now();
  await redis.pause();
  t.after(() => redis.resume());
  await sleep(PAUSE); // what is measured is this stretch of time itself
  const resumed = performance.now();
  await redis.resume();
  await eventually(() => {
    assert.ok(load.shots.some(({ sentAt, status }) => sentAt > resumed && status === 200));
  }, 10_000);
  const shots = await load.stop();
  const during = shots.filter(({ sentAt, answeredAt }) => sentAt > paused && answeredAt < resumed);
  const { longest, p99 } = waits(during);
  const lastError = shots.findLast(({ status, sentAt }) => status !== 200 && sentAt > resumed);
  const errorsEnded = lastError === undefined ? 0 : Math.round(lastError.sentAt - resumed);
  assert.ok(stream.isOpen(), 'a stream goes on meanwhile');
  stream.leave();
  await stream.over;
  const received = gateway.simulator.requests.length;
  const counts = await agreeOn(gateway, device.licenseId, received, 15_000);
  t.diagnostic(
    `paused ${PAUSE} ms: ${JSON.stringify(outcomes(during))}; decided within p99 ${p99} ms, longest ${longest} ms ` +
      `(promised 200); errors ended ${errorsEnded} ms after its return (promised 1000); ` +
      `heap +${Math.round((process.memoryUsage().heapUsed - heapBefore) / 1e6)} MB; at rest ${JSON.stringify(counts)}`,
  );
  const refused = during.filter(({ code }) => code === 'counters_unavailable');
  assert.ok(refused.length > 100);
  assert.deepEqual(
    during.filter(({ status }) => status !== 503 && status !== 200),
    [],
    'never a 429',
  );
  assert.ok(p99 <= 200, `p99 ${p99} ms`);
  assert.ok(errorsEnded <= 1_000);
});
