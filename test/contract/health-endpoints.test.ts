import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createInternalApp } from '../../src/http/internal.ts';
import { Readiness } from '../../src/http/readiness.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { version } from '../../src/version.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestDatabase, testRedisUrl } from '../support/servers/databases.ts';
import { fetchChat, metricValue, startProvider } from '../support/streams.ts';
import { layLine } from '../support/tcp-line.ts';

for (const counters of ['redis', 'memory'] as const) {
  describe(`what the internal listener tells, counters in ${counters}`, () => {
    let gateway: TestGateway;
    before(async () => {
      gateway = await startTestGateway({ counters });
    });
    after(() => gateway.close());

    const ask = async (path: string): Promise<{ status: number; body: unknown }> => {
      const answer = await fetch(gateway.internalUrl + path);
      return { status: answer.status, body: await answer.json() };
    };

    it('live and ready answer 200 on the internal listener, and are not on the public one', async () => {
      for (const path of ['/health/live', '/health/ready']) {
        assert.deepEqual(await ask(path), { status: 200, body: { status: 'ok' } });
        assert.equal((await gateway.request(path)).status, 404);
      }
    });

    it('metrics count requests by provider, tier, outcome and status, and admissions', async () => {
      const device = await gateway.device({ daily_limit: 2 });
      for (const simulate of ['', 'status=500', '', '']) {
        await (await fetchChat(gateway, device, { simulate })).text();
      }
      const metrics = await gateway.metrics();
      // Others are there with 0.
      const counted = (name: string): Record<string, number> =>
        Object.fromEntries(
          [...metrics.matchAll(new RegExp(`^${name}\\{(.*)\\} ([1-9]\\d*)$`, 'gm'))].map(
            ([, labels = '', count]) => [labels.replaceAll('"', ''), Number(count)],
          ),
        );
      assert.deepEqual(counted('licensify_requests_total'), {
        'provider=openai,tier=pro,outcome=ok,status=200': 2,
        'provider=openai,tier=pro,outcome=ok,status=500': 1,
        'provider=openai,tier=pro,outcome=rate_limit_exceeded,status=429': 1,
      });
      assert.deepEqual(counted('licensify_admissions_total'), {
        'tier=pro,decision=admitted,window=none': 3,
        'tier=pro,decision=refused,window=day': 1,
      });
      assert.equal(metricValue(metrics, 'licensify_open_requests'), 0);
      assert.match(metrics, new RegExp(`^licensify_build_info\\{version="${version}",node="v\\d+`, 'm'));
      assert.match(
        metrics,
        /^licensify_request_duration_seconds_count\{provider="openai",stream="false"\} 4$/m,
      );
    });
  });
}

it('while stores hang the gateway stays ready, and says within a second which ones', async (t) => {
  const lines = {
    database: await layLine((await createTestDatabase()).url),
    redis: await layLine(testRedisUrl()),
  };
  for (const line of Object.values(lines)) t.after(() => line.close());
  const gateway = await startTestGateway({
    env: { DATABASE_URL: lines.database.url, REDIS_URL: lines.redis.url, REDIS_TIMEOUT_MS: '150' },
  });
  t.after(() => gateway.close());
  const ready = async (): Promise<unknown> => {
    const began = performance.now();
    const answer = await fetch(`${gateway.internalUrl}/health/ready`);
    assert.equal(answer.status, 200);
    const took = performance.now() - began;
    assert.ok(took < 1_000, `answered after ${took.toFixed(0)} ms`);
    return answer.json();
  };
  const becomes = (expected: object): Promise<void> =>
    eventually(async () => assert.deepEqual(await ready(), expected), 5_000);
  const [database, counters] = ['the database cannot be reached', 'the counters cannot be reached'];

  await becomes({ status: 'ok' });
  lines.database.lose();
  await becomes({ status: 'degraded', problems: [database] });
  lines.redis.lose();
  await becomes({ status: 'degraded', problems: [database, counters] });
  assert.equal((await fetch(`${gateway.internalUrl}/health/live`)).status, 200);
  assert.equal((await gateway.request('/health')).status, 200);
  lines.database.restore();
  await becomes({ status: 'degraded', problems: [counters] });
});

it('a gateway that is still starting is not ready', async (t) => {
  const metrics = new Metrics(version, () => []).exposition;
  const app = createInternalApp({ metrics, readiness: new Readiness([]) });
  const provider = await startProvider(app);
  t.after(() => provider.close());
  const answer = await fetch(`${provider.url}/health/ready`);
  assert.equal(answer.status, 503);
  assert.deepEqual(await answer.json(), { status: 'not ready', reason: 'starting up' });
  assert.equal((await fetch(`${provider.url}/health/live`)).status, 200);
});
