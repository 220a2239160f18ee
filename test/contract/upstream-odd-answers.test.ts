import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import {
  assertNothingOpen,
  chatBytes,
  startRawProvider,
  usageOf,
  type OwnProvider,
} from '../support/streams.ts';

const BODY = 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

/** What no provider should say, and what the client then gets. */
const oddities: { name: string; said: string; status: number; counts: boolean }[] = [
  { name: 'no HTTP', said: 'hello there\r\n\r\n', status: 502, counts: false },
  { name: 'a status of 000', said: `HTTP/1.1 000 Nothing\r\n${BODY}`, status: 502, counts: false },
  { name: 'a status of 099', said: `HTTP/1.1 099 Less\r\n${BODY}`, status: 502, counts: false },
  {
    name: 'another protocol that nobody asked for',
    said: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    status: 502,
    counts: false,
  },
  {
    name: 'headers without end',
    said: `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\n`,
    status: 502,
    counts: false,
  },
  {
    name: 'two lengths',
    said: `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n${BODY}`,
    status: 502,
    counts: false,
  },
  {
    name: 'early hints before its answer',
    said: `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n${BODY}`,
    status: 200,
    counts: true,
  },
  { name: 'a status beyond all classes', said: `HTTP/1.1 799 Odd\r\n${BODY}`, status: 799, counts: false },
  { name: 'a reason of bytes', said: `HTTP/1.1 200 \xff\xfe\x80\r\n${BODY}`, status: 200, counts: true },
  {
    name: 'a header of bytes',
    said: `HTTP/1.1 200 OK\r\nX-Odd: \xe9\xff\r\n${BODY}`,
    status: 200,
    counts: true,
  },
  { name: 'no reason', said: `HTTP/1.1 200\r\n${BODY}`, status: 200, counts: true },
  { name: 'HTTP/1.0', said: `HTTP/1.0 200 OK\r\n${BODY}`, status: 200, counts: true },
];

describe('whatever a provider answers, the client gets a sound answer and the gateway serves on', () => {
  let provider: OwnProvider;
  let gateway: TestGateway;
  let device: TestDevice;
  let said = '';
  let used = 0;
  before(async () => {
    provider = await startRawProvider((socket) => socket.on('data', () => socket.end(said, 'latin1')));
    gateway = await startTestGateway({ counters: 'memory', env: { OPENAI_BASE_URL: provider.url } });
    device = await gateway.device();
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });

  for (const oddity of oddities) {
    it(`${oddity.name}: ${oddity.status}`, async () => {
      said = oddity.said;
      const client = await RawConnection.open(gateway.url);
      await client.send(chatBytes(device));
      const answer = await client.next();
      assert.equal(answer?.status, oddity.status);
      if (oddity.status === 200) assert.equal(answer.body.toString(), '{}');
      client.destroy();
      await assertNothingOpen(gateway);
      if (oddity.counts) used += 1;
      assert.equal((await usageOf(gateway, device)).today, used);
    });
  }
});
