import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { assertNothingOpen, chatBytes, FORMS, nextRequest } from '../support/streams.ts';
import { RawConnection } from '../support/raw-http.ts';

describe('events reach the client while the provider still works on the rest', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  for (const form of FORMS) {
    it(`${form}: what a provider said before it fell silent is there`, async () => {
      const client = await RawConnection.open(gateway.url);
      const received = nextRequest(gateway.simulator);
      await client.send(chatBytes(device, { form, stream: true, simulate: 'hang=mid-stream, chunks=8' }));
      // The simulator stops after half of the deltas and leaves the connection open.
      await client.receives((bytes) => bytes.toString().split('"delta":{"content":').length > 4);
      const request = await received;
      assert.equal(request.closedAt, undefined, 'the provider had already ended');
      assert.equal(client.received.includes('[DONE]'), false);
      client.destroy();
      await assertNothingOpen(gateway);
    });
  }

  it('a whole stream arrives as the provider sent it, event by event and to the end', async () => {
    const client = await RawConnection.open(gateway.url);
    await client.send(chatBytes(device, { stream: true, simulate: 'chunks=20, chunk-delay=5' }));
    const answer = await client.next();
    const events = answer?.body.toString().split('\n\n') ?? [];
    assert.equal(events.at(-2), 'data: [DONE]');
    assert.equal(events.filter((event) => event.includes('"content":"')).length >= 20, true);
    client.destroy();
  });
});
