import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { assertNothingOpen, fetchChat, FORMS } from '../support/streams.ts';

describe('a provider that refuses our key and never finishes saying so', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  for (const form of FORMS) {
    it(`keeps neither the client waiting nor a connection open, ${form}`, async () => {
      const answer = await fetchChat(gateway, device, { form, simulate: 'status=401, hang=mid-stream' });
      assert.equal(answer.status, 502);
      await answer.text();
      await assertNothingOpen(gateway);
      assert.equal(gateway.simulator.requests.at(-1)?.aborted, true);
    });
  }
});
