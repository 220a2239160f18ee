import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import {
  assertNothingOpen,
  chatBytes,
  startRawProvider,
  usageOf,
  whileHeld,
  type OwnProvider,
} from '../support/streams.ts';

const HALF = 'HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"error": ';

describe('a provider that dies within an error, while the request is being given back', () => {
  let provider: OwnProvider;
  let gateway: TestGateway;
  let device: TestDevice;
  const conversation = Promise.withResolvers<Socket>();
  before(async () => {
    provider = await startRawProvider((socket) => socket.once('data', () => conversation.resolve(socket)));
    gateway = await startTestGateway({ counters: 'memory', env: { OPENAI_BASE_URL: provider.url } });
    device = await gateway.device();
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });

  it('leaves no client waiting: the connection is destroyed', async () => {
    const client = await RawConnection.open(gateway.url);
    await whileHeld(gateway, 'settle', async ({ asked }) => {
      await client.send(chatBytes(device));
      const socket = await conversation.promise;
      socket.write(HALF);
      await asked;
      socket.destroy();
      await once(socket, 'close');
      // By the time it has answered others, the gateway has heard of it.
      for (let round = 0; round < 5; round += 1) assert.equal((await gateway.request('/health')).status, 200);
    });
    await client.closed();
    assert.doesNotMatch(client.received.toString('latin1'), /\r\n0\r\n/);
    await assertNothingOpen(gateway);
    assert.equal((await usageOf(gateway, device)).today, 0);
  });
});
