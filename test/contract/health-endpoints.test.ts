import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { version } from '../../src/version.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fetchChat, metricValue } from '../support/streams.ts';

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

    it('ready turns red while the database is away, live does not', async () => {
      const { knex } = gateway.gateway;
      await knex.destroy();
      const away = { status: 'not ready', reason: 'the database cannot be reached' };
      assert.deepEqual(await ask('/health/ready'), { status: 503, body: away });
      assert.equal((await ask('/health/live')).status, 200);
      assert.equal((await gateway.request('/health')).status, 200);
      knex.initialize();
      assert.equal((await ask('/health/ready')).status, 200);
    });

    it('metrics count requests by provider, tier, outcome and status, and admissions', async () => {
      const device = await gateway.device({ daily_limit: 2 });
      for (const simulate of ['', 'status=500', '', '']) {
        await (await fetchChat(gateway, device, { simulate })).text();
      }
      const metrics = await gateway.metrics();
      const counts = (name: string): Record<string, number> =>
        Object.fromEntries(
          [...metrics.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\d+)$`, 'gm'))].map(
            ([, labels = '', count]) => [labels.replaceAll('"', ''), Number(count)],
          ),
        );
      assert.deepEqual(counts('licensify_requests_total'), {
        'provider=openai,tier=pro,outcome=ok,status=200': 2,
        'provider=openai,tier=pro,outcome=ok,status=500': 1,
        'provider=openai,tier=pro,outcome=rate_limit_exceeded,status=429': 1,
      });
      assert.deepEqual(counts('licensify_admissions_total'), {
        'tier=pro,decision=admitted': 3,
        'tier=pro,decision=refused_day': 1,
      });
      assert.equal(metricValue(metrics, 'licensify_open_requests'), 0);
      assert.match(metrics, new RegExp(`^licensify_build_info\\{version="${version}",node="v\\d+`, 'm'));
      assert.match(metrics, /^licensify_request_duration_seconds_count\{provider="openai"\} 4$/m);
    });
  });
}
