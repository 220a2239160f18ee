import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import { assertNothingOpen, chatBytes, startRawProvider, type OwnProvider } from '../support/streams.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const DECLARED = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n';
const CHUNK = 'd\r\ndata: first\n\n\r\n';

/** What the provider says until the client has it, what it says after that, and how it goes. */
const deaths: { name: string; first: string; then?: string; go?: (socket: Socket) => void }[] = [
  { name: 'ends a chunked answer without its last chunk', first: CHUNKED + CHUNK, go: (s) => s.end() },
  { name: 'resets a chunked answer', first: CHUNKED + CHUNK, go: (s) => s.resetAndDestroy() },
  { name: 'ends within a chunk', first: CHUNKED + CHUNK, then: 'ff\r\ndata: sec', go: (s) => s.end() },
  { name: 'ends within the last chunk', first: CHUNKED + CHUNK, then: '0\r\n', go: (s) => s.end() },
  { name: 'sends what is no chunk', first: CHUNKED + CHUNK, then: 'zz\r\n' },
  { name: 'ends before the declared length', first: `${DECLARED}{"first": 1`, go: (s) => s.end() },
  {
    name: 'resets before the declared length',
    first: `${DECLARED}{"first": 1`,
    go: (s) => s.resetAndDestroy(),
  },
];

describe('an answer that its provider did not complete ends with a destroyed connection', () => {
  let provider: OwnProvider;
  let gateway: TestGateway;
  let device: TestDevice;
  let conversation = Promise.withResolvers<Socket>();
  before(async () => {
    provider = await startRawProvider((socket) => {
      // Its pool's connections are cut by then: each test has one of its own.
      socket.once('data', () => conversation.resolve(socket));
    });
    gateway = await startTestGateway({ counters: 'memory', env: { OPENAI_BASE_URL: provider.url } });
    device = await gateway.device({ tier: 'enterprise' });
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });

  for (const { name, first, then = '', go } of deaths) {
    it(`a provider that ${name}`, async () => {
      conversation = Promise.withResolvers();
      const client = await RawConnection.open(gateway.url);
      await client.send(chatBytes(device, { stream: true }));
      const socket = await conversation.promise;
      socket.write(first);
      await client.receives((bytes) => bytes.includes('first'));
      socket.write(then);
      go?.(socket);
      await client.closed();
      const text = client.received.toString('latin1');
      assert.match(text, /^HTTP\/1\.1 200 /);
      assert.doesNotMatch(text, /\r\n0\r\n/);
      await assertNothingOpen(gateway);
    });
  }
});
