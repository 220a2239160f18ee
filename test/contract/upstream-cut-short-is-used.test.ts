import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import { assertNothingOpen, chatBytes, fetchChat, usageOf } from '../support/streams.ts';

/** Ways in which an answer that has begun ends early. */
const endings = [
  { name: 'the provider dies mid-stream', simulate: 'die=mid-stream, chunks=8', leaves: false },
  { name: 'the provider dies mid-JSON', simulate: 'die=mid-json', leaves: false },
  { name: 'the client leaves mid-stream', simulate: 'hang=mid-stream, chunks=8', leaves: true },
];

for (const counters of ['redis', 'memory'] as const) {
  describe(`a request whose answer is cut short stays counted, counters in ${counters}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    let used = 0;
    before(async () => {
      gateway = await startTestGateway({ counters });
      device = await gateway.device({ daily_limit: 20 });
    });
    after(() => gateway.close());

    for (const { name, simulate, leaves } of endings) {
      it(name, async () => {
        const client = await RawConnection.open(gateway.url);
        await client.send(chatBytes(device, { stream: !simulate.includes('json'), simulate }));
        await client.receives((bytes) => bytes.includes('"content":"') || bytes.includes('{"id"'));
        if (leaves) client.destroy();
        else await client.closed();
        await assertNothingOpen(gateway);
        used += 1;
        assert.deepEqual(await usageOf(gateway, device), { today: used, this_month: used });
        const next = await fetchChat(gateway, device);
        used += 1;
        assert.equal(next.headers.get('x-ratelimit-remaining'), String(20 - used));
        await next.text();
      });
    }

    it('the client leaves before the provider answers', async () => {
      const client = await RawConnection.open(gateway.url);
      const asked = gateway.simulator.requests.length;
      await client.send(chatBytes(device, { simulate: 'hang=before-headers' }));
      await gateway.simulator.waitForRequest(
        (request) => gateway.simulator.requests.indexOf(request) >= asked,
      );
      client.destroy();
      await assertNothingOpen(gateway);
      assert.equal((await usageOf(gateway, device)).today, used + 1);
    });
  });
}
