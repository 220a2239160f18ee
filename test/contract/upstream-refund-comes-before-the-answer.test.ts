import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import { chatBytes, fetchChat, FORMS, whileHeld } from '../support/streams.ts';

/** What is given back: a provider's error passed on, and errors of our own. */
const refunded = [
  { simulate: 'status=500', status: 500 },
  { simulate: 'status=429', status: 429 },
  { simulate: 'status=401', status: 502 },
  { simulate: 'die=before-headers', status: 502 },
];

for (const counters of ['redis', 'memory'] as const) {
  describe(`a client that retries at once has its request back already, counters in ${counters}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    before(async () => {
      gateway = await startTestGateway({ counters });
      device = await gateway.device({ daily_limit: 1 });
    });
    after(() => gateway.close());

    for (const { simulate, status } of refunded) {
      it(`${simulate}: with a limit of 1, every retry is admitted`, async () => {
        for (const form of [...FORMS, ...FORMS, ...FORMS]) {
          const answer = await fetchChat(gateway, device, { form, simulate });
          assert.equal(answer.status, status);
          assert.equal(answer.headers.get('x-should-retry'), null, 'this is our own refusal');
          await answer.text();
        }
      });

      it(`${simulate}: the answer waits for the refund`, async () => {
        await whileHeld(gateway, 'settle', async ({ asked, release }) => {
          const client = await RawConnection.open(gateway.url);
          await client.send(chatBytes(device, { simulate }));
          await asked;
          // Others are answered meanwhile, so an answer that did not wait would have come.
          for (let round = 0; round < 5; round += 1) await gateway.request('/health');
          const tooEarly = client.received.toString();
          release();
          assert.equal(tooEarly, '');
          assert.equal((await client.next())?.status, status);
          client.destroy();
        });
      });
    }

    it('and a request that succeeds uses the limit up', async () => {
      const [first, second] = [await fetchChat(gateway, device), await fetchChat(gateway, device)];
      assert.deepEqual([first.status, second.status], [200, 429]);
      assert.equal(second.headers.get('x-should-retry'), 'false');
      await Promise.all([first.text(), second.text()]);
    });
  });
}
