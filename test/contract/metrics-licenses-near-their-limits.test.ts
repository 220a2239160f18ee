import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { fetchChat } from '../support/streams.ts';

for (const counters of ['redis', 'memory'] as const) {
  describe(`licenses near their limits, counters in ${counters}`, () => {
    /** Of tier pro: `day 80`, `day 100`, `month 80`, `month 100`. */
    const figures = async (gateway: TestGateway): Promise<Record<string, number>> =>
      Object.fromEntries(
        [
          ...(await gateway.metrics()).matchAll(
            /^licensify_licenses_near_limit\{tier="pro",window="(\w+)",level="(\d+)"\} (\d+)$/gm,
          ),
        ].map(([, window, level, count]) => [`${window ?? ''} ${level ?? ''}`, Number(count)]),
      );
    const becomes = (gateway: TestGateway, expected: number[]): Promise<void> =>
      eventually(async () => {
        const counts = await figures(gateway);
        const names = ['day 80', 'day 100', 'month 80', 'month 100'];
        assert.deepEqual(
          names.map((name) => counts[name]),
          expected,
        );
      }, 2_000);
    const call = async (gateway: TestGateway, device: TestDevice, times: number): Promise<void> => {
      for (let count = 0; count < times; count += 1) await (await fetchChat(gateway, device, {})).text();
    };

    it('each counts once from 80 % on, and no longer when its limit was raised', async (t) => {
      const gateway = await startTestGateway({ counters });
      t.after(() => gateway.close());
      const first = await gateway.device({ daily_limit: 5, monthly_limit: 10 });
      const second = await gateway.device({ daily_limit: 100, monthly_limit: 2 });
      await becomes(gateway, [0, 0, 0, 0]);
      await call(gateway, first, 3);
      await becomes(gateway, [0, 0, 0, 0]);
      await call(gateway, first, 1);
      await becomes(gateway, [1, 0, 0, 0]);
      await call(gateway, first, 3);
      await becomes(gateway, [1, 1, 0, 0]);
      await call(gateway, second, 2);
      await becomes(gateway, [1, 1, 1, 1]);
      const raised = await gateway.admin(`/licenses/${first.licenseId}`, {
        method: 'PATCH',
        body: { daily_limit: 1_000 },
      });
      assert.equal(raised.status, 200);
      await becomes(gateway, [0, 0, 1, 1]);
      // Six have been used of ten in the month: two more are 80 %.
      await call(gateway, first, 3);
      await becomes(gateway, [0, 0, 2, 1]);
    });
  });
}

it('instances on one Redis count each license once between them, and all tell the same', async (t) => {
  const one = await startTestGateway();
  const other = await startTestGateway({ joins: one });
  t.after(async () => {
    await other.close();
    await one.close();
  });
  const device = await one.device({ daily_limit: 2 });
  for (const gateway of [one, other, one, other]) await (await fetchChat(gateway, device, {})).text();
  for (const gateway of [one, other]) {
    await eventually(
      async () =>
        assert.match(
          await gateway.metrics(),
          /^licensify_licenses_near_limit\{tier="pro",window="day",level="100"\} 1$/m,
        ),
      2_000,
    );
  }
});
