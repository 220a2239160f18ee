import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { seriesIn, sumOf } from '../support/monitoring/series.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { startOwnRedis, type OwnRedis } from '../support/servers/own-redis.ts';

const tier = (id: string, more = ''): string =>
  `[tiers.${id}]\nname = "${id}"\ndaily_limit = 100\nmonthly_limit = -1\nmax_devices = 1\n${more}\n`;
const tiers = tier('patient') + tier('lenient', 'on_counter_outage = "allow"\noutage_allowance = 3');

/** What is looked at in an outage. NaN: there is no such series. */
interface Look {
  up: number;
  live: number;
  connectionErrors: number;
  operationErrors: number;
  unavailable: number;
  failed: number;
  lent: number;
  lag: number;
  waiting: number;
  written: number;
  foldFailures: number;
  /** Partitions. */
  lost: number;
  /** How long the scrape took. Milliseconds. */
  took: number;
}

let redis: OwnRedis;
let gateway: TestGateway;
let keys: string[];
before(async () => {
  redis = await startOwnRedis({ appendOnly: true });
  gateway = await startTestGateway({ env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '300' }, tiers });
  const devices = [await gateway.device({ tier: 'lenient' }), await gateway.device({ tier: 'patient' })];
  keys = devices.map(({ proxyKey }) => proxyKey);
});
after(async () => {
  await redis.resume();
  await gateway.close();
  await redis.stop();
});

/** One request of each tier. */
const send = (): Promise<number[]> => Promise.all(keys.map((key) => chatStatus(gateway, key)));

async function look(): Promise<Look> {
  const began = performance.now();
  const series = seriesIn(await gateway.metrics());
  const took = performance.now() - began;
  const value = (name: string, labels: Record<string, string> = {}): number =>
    sumOf(series, `licensify_${name}`, labels) ?? Number.NaN;
  return {
    up: value('store_up', { store: 'redis' }),
    live: value('announcements_live'),
    connectionErrors: value('store_errors_total', { store: 'redis', kind: 'connection' }),
    operationErrors: value('store_errors_total', { store: 'redis', kind: 'operation' }),
    unavailable: value('admissions_total', { decision: 'unavailable' }),
    failed: value('requests_total', { tier: 'patient', outcome: 'counters_unavailable' }),
    lent: value('outage_admissions_total', { tier: 'lenient' }),
    lag: value('ledger_lag_seconds'),
    waiting: value('ledger_waiting_events'),
    written: value('ledger_events_total'),
    foldFailures: value('ledger_failures_total'),
    lost: value('redis_data_losses_total'),
    took,
  };
}

/** Waits until all that was counted is in the ledger and Redis is there; returns each look on the way. */
async function untilCalm(): Promise<Look[]> {
  const looks: Look[] = [];
  await eventually(async () => {
    const now = await look();
    looks.push(now);
    assert.deepEqual([now.up, now.live, now.lag, now.waiting], [1, 1, 0, 0]);
  }, 7_000);
  return looks;
}

const since = (calm: Look, now: Look): Partial<Look> => ({
  unavailable: now.unavailable - calm.unavailable,
  failed: now.failed - calm.failed,
  lent: now.lent - calm.lent,
});

it('before an outage all that would tell of it is there', async () => {
  assert.deepEqual(await send(), [200, 200]);
  await untilCalm();
  const { up, live, lag, waiting, written, ...counters } = await look();
  assert.deepEqual({ up, live, lag, waiting, written }, { up: 1, live: 1, lag: 0, waiting: 0, written: 2 });
  const { unavailable, failed, lent } = counters;
  assert.deepEqual([unavailable, failed, lent], [0, 0, 0]);
  assert.ok(counters.connectionErrors >= 0 && counters.operationErrors >= 0 && counters.foldFailures >= 0);
});

it('a Redis that hangs is as good as gone soon, and holds up no scrape', async () => {
  const calm = await look();
  await redis.pause();
  assert.deepEqual(await send(), [200, 503]);
  const during = await eventually(async () => {
    const now = await look();
    assert.equal(now.up, 0);
    assert.ok(now.lag > 0.5);
    return now;
  }, 5_000);
  assert.deepEqual(since(calm, during), { unavailable: 1, failed: 1, lent: 1 });
  assert.ok(during.waiting > 0);
  assert.ok(during.operationErrors > calm.operationErrors);
  assert.ok(during.took < 1_500, `${during.took} ms`);
  await redis.resume();
  await untilCalm();
});

it('one that is gone is seen in each metric that tells of it, until it is back', async () => {
  const calm = await look();
  await redis.kill();
  for (const statuses of [
    [200, 503],
    [200, 503],
    [503, 503],
  ])
    assert.deepEqual(await send(), statuses);
  const during = await look();
  assert.deepEqual([during.up, during.live], [0, 0]);
  assert.deepEqual(since(calm, during), { unavailable: 4, failed: 3, lent: 2 });
  assert.equal(during.waiting, 2, 'what was lent waits to be booked');
  const later = await eventually(async () => {
    const now = await look();
    assert.ok(now.foldFailures > calm.foldFailures, 'rounds of the ledger fail');
    assert.ok(now.lag > during.lag + 0.5, 'the lag grows with the time');
    return now;
  }, 5_000);
  assert.ok(later.connectionErrors > calm.connectionErrors);
  assert.deepEqual([later.waiting, later.written], [2, calm.written]);
  await redis.restart();
  const looks = await untilCalm();
  for (const { lag, waiting } of looks.filter((one) => one.waiting > 0))
    assert.ok(lag > later.lag, `${waiting} wait, and the oldest has become ${lag} s young`);
  const after = await look();
  assert.deepEqual(since(calm, after), { unavailable: 4, failed: 3, lent: 2 });
  assert.equal(after.written, calm.written + 2);
  assert.equal(after.lost, 0);
  assert.deepEqual(await send(), [200, 200]);
});

it('one that comes back empty has lost each of the 64 partitions', async () => {
  await redis.restart({ empty: true });
  await eventually(async () => assert.equal((await look()).lost, 64), 5_000);
  assert.deepEqual(await send(), [200, 200]);
  assert.equal((await look()).lost, 64);
});
