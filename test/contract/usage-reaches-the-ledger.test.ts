import assert from 'node:assert/strict';
import { it } from 'node:test';
import { burst, statuses } from '../support/burst.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { usageOf } from '../support/usage-rows.ts';

const MODEL = 'claude-3-haiku-20240307';

for (const counters of ['redis', 'memory'] as const) {
  it(`each request is booked once, by device, provider, model and day, within 2 s (${counters})`, async (t) => {
    const clock = new FakeClock('2026-04-30T23:00:00Z');
    const gateway = await startTestGateway({ counters, clock });
    t.after(() => gateway.close());
    const { id, licenseKey } = await gateway.createLicense({ daily_limit: 40, max_activations: 2 });
    const [first, second] = [
      await gateway.activate(licenseKey, 'hw-1'),
      await gateway.activate(licenseKey, 'hw-2'),
    ];
    const openai = (proxyKey: string, times: number): Promise<Record<number, number>> =>
      burst(Array.from({ length: times }, () => ({ gateway, proxyKey }))).then(statuses);

    assert.deepEqual(await openai(first, 20), { 200: 20 });
    await anthropic(gateway, second, ['', 'status=429', 'status=400', 'status=500', '']);
    assert.deepEqual(await openai(second, 30), { 200: 17, 429: 13 }, 'what was given back is there again');
    clock.set('2026-05-01T00:00:00Z');
    assert.deepEqual(await openai(second, 3), { 200: 3 });

    const [one = 0, two = 0] = await deviceIds(gateway, id);
    const gpt = { provider: 'openai', model: 'gpt-4o', refunded: 0 };
    await usageOf(gateway.gateway.knex, { licenseId: id }, [
      { ...gpt, day: '2026-04-30', device: one, requests: 20 },
      { provider: 'anthropic', model: MODEL, refunded: 2, day: '2026-04-30', device: two, requests: 3 },
      { ...gpt, day: '2026-04-30', device: two, requests: 17 },
      { ...gpt, day: '2026-05-01', device: two, requests: 3 },
    ]);
    const { body } = await gateway.admin(`/licenses/${id}`);
    assert.deepEqual((body as { license?: { usage: unknown } }).license?.usage, { today: 3, this_month: 3 });
  });
}

async function anthropic(gateway: TestGateway, proxyKey: string, behaviours: string[]): Promise<void> {
  for (const simulate of behaviours) {
    await gateway.request('/proxy/anthropic/v1/messages', {
      headers: { 'x-api-key': proxyKey, 'x-simulate': simulate },
      body: { model: MODEL, max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] },
    });
  }
}

async function deviceIds(gateway: TestGateway, licenseId: string): Promise<number[]> {
  const rows = await gateway.gateway
    .knex('devices')
    .where({ license_id: licenseId })
    .orderBy('hardware_id')
    .select<{ id: number }[]>('id');
  return rows.map(({ id }) => id);
}
