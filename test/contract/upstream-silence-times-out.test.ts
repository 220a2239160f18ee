import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import { assertNothingOpen, chatBytes, fetchChat, FORMS, usageOf } from '../support/streams.ts';

const TIMEOUT = 1_000;

for (const counters of ['redis', 'memory'] as const) {
  describe(`a provider that stays silent for UPSTREAM_TIMEOUT_MS, counters in ${counters}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    let used = 0;
    before(async () => {
      gateway = await startTestGateway({ counters, env: { UPSTREAM_TIMEOUT_MS: String(TIMEOUT) } });
      device = await gateway.device({ daily_limit: 20 });
    });
    after(() => gateway.close());

    for (const form of FORMS) {
      it(`before its headers, ${form}: 504 upstream_timeout, counted`, async (t) => {
        const startedAt = performance.now();
        const answer = await fetchChat(gateway, device, { form, simulate: 'hang=before-headers' });
        const took = performance.now() - startedAt;
        used += 1;
        assert.equal(answer.status, 504);
        const body = (await answer.json()) as { error: string | { code: string }; code?: string };
        assert.equal(typeof body.error === 'string' ? body.code : body.error.code, 'upstream_timeout');
        assert.equal(answer.headers.get('x-ratelimit-remaining'), String(20 - used));
        assert.deepEqual(await usageOf(gateway, device), { today: used, this_month: used });
        t.diagnostic(`answered after ${took.toFixed(0)} ms at a time-out of ${TIMEOUT}`);
        assert.ok(took >= TIMEOUT - 50);
        await assertNothingOpen(gateway);
        assert.equal(gateway.simulator.requests.at(-1)?.aborted, true);
      });
    }

    it('mid-stream: the connection is destroyed, counted', async () => {
      const client = await RawConnection.open(gateway.url);
      await client.send(chatBytes(device, { stream: true, simulate: 'hang=mid-stream, chunks=8' }));
      await client.closed();
      used += 1;
      const text = client.received.toString('latin1');
      assert.match(text, /"content":"/);
      assert.doesNotMatch(text, /\r\n0\r\n/);
      await assertNothingOpen(gateway);
      assert.deepEqual(await usageOf(gateway, device), { today: used, this_month: used });
    });

    it('a stream that never falls silent for so long has no limit in all', async (t) => {
      const startedAt = performance.now();
      const answer = await fetchChat(gateway, device, {
        stream: true,
        simulate: 'chunks=12, chunk-delay=200',
      });
      used += 1;
      const text = await answer.text();
      const took = performance.now() - startedAt;
      t.diagnostic(`complete after ${took.toFixed(0)} ms at a time-out of ${TIMEOUT}`);
      assert.ok(took > 2 * TIMEOUT);
      assert.ok(text.endsWith('data: [DONE]\n\n'));
    });
  });
}
