import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { newLicenseKey } from '../../src/licensing/keys.ts';
import { countQueries, LOOK_UP } from '../support/count-queries.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { hammer, rawPost } from '../support/hammer.ts';
import { outcomes, startLoad, waits } from '../support/steady-load.ts';

const TIMES = 10_000;
const SOCKETS = 20;
/** What passed the guard together before the first of them was known to be wrong. */
const TOGETHER = 10 + SOCKETS;

for (const counters of ['redis', 'memory'] as const) {
  describe(`license endpoints under ten thousand wrong keys, counters in ${counters}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    before(async () => {
      gateway = await startTestGateway({ counters, env: { LOG_LEVEL: 'warn' } });
      device = await gateway.device({ tier: 'enterprise' });
    });
    after(() => gateway.close());

    const attack = (times = TIMES): ReturnType<typeof hammer> => {
      const paths = ['/activate', '/check', '/deactivate'];
      const request = (turn: number): string =>
        rawPost(paths[turn % 3] ?? '', { license_key: newLicenseKey(), hardware_id: 'hw-1' });
      return hammer(gateway.url, request, { times, sockets: SOCKETS, ahead: 1 });
    };

    it('cost ten look-ups and those that came with them, then none; proxy keys of that address go on', async (t) => {
      const normal = await servedFor(800);
      const queries = countQueries(LOOK_UP);
      t.after(() => queries.stop());
      const { statuses, perSecond } = await attack();
      assert.deepEqual(statuses, { 401: 10, 429: TIMES - 10 });
      // An activation locks the license's row, which is one query of the transaction that it is.
      assert.ok(queries.count >= 10 && queries.count <= TOGETHER, `${queries.count} look-ups`);
      t.diagnostic(`${perSecond} requests/s cost ${queries.count} look-ups in all`);
      const before = queries.count;
      const [again] = await Promise.all([attack(), servedMeanwhile(t, normal)]);
      assert.deepEqual(again.statuses, { 429: TIMES });
      assert.equal(queries.count, before, 'once it waits, none');
    });

    async function servedFor(forMs: number): Promise<{ p99: number }> {
      const load = startLoad([gateway], device.proxyKey, { width: 2 });
      await new Promise((resolve) => setTimeout(resolve, forMs));
      const shots = await load.stop();
      assert.deepEqual(Object.keys(outcomes(shots)), ['200']);
      return waits(shots);
    }

    async function servedMeanwhile(t: TestContext, normal: { p99: number }): Promise<void> {
      const { p99 } = await servedFor(800);
      t.diagnostic(`a proxy key of the same address: p99 ${p99} ms, otherwise ${normal.p99} ms`);
    }
  });
}
