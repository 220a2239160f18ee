import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

for (const shape of [
  { counters: 'redis', database: 'postgres' },
  { counters: 'memory', database: 'embedded' },
] as const) {
  describe(`with counters in ${shape.counters} and licenses in ${shape.database}`, () => {
    let gateway: TestGateway;
    before(async () => {
      gateway = await startTestGateway(shape);
    });
    after(() => gateway.close());

    it('a license is made, activated, used within its limit and refused beyond it', async () => {
      const { proxyKey } = await gateway.device({ daily_limit: 2 });
      const call = () =>
        gateway.request('/proxy/openai/v1/chat/completions', {
          headers: { authorization: `Bearer ${proxyKey}` },
          body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] },
        });
      assert.deepEqual(
        [(await call()).status, (await call()).status, (await call()).status],
        [200, 200, 429],
      );
      assert.equal(gateway.simulator.requests.length, 2);
    });
  });
}
