import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import { assertNothingOpen, chatBytes, fetchChat, FORMS, whileHeld } from '../support/streams.ts';

describe('a client that goes away while its request is being admitted', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  for (const form of FORMS) {
    it(`costs the provider no request, ${form}`, async () => {
      const requests = gateway.simulator.requests.length;
      await whileHeld(gateway, 'admit', async ({ asked }) => {
        const client = await RawConnection.open(gateway.url);
        await client.send(chatBytes(device, { form }));
        await asked;
        client.destroy();
        await assertNothingOpen(gateway);
      });
      // Whoever comes next is served, and is the only one that the provider hears of.
      const answer = await fetchChat(gateway, device, { form });
      assert.equal(answer.status, 200);
      await answer.text();
      assert.equal(gateway.simulator.requests.length, requests + 1);
      assert.equal(gateway.simulator.connectionsOpened(), 1);
    });
  }
});
