import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { headerValue, RawConnection, rawRequest } from '../support/raw-http.ts';
import { assertNothingOpen, CHAT_PATH, nextRequest } from '../support/streams.ts';

/** What no HTTP parser takes, and the status it gets. */
const malformed: { name: string; bytes: string; status: number }[] = [
  { name: 'no HTTP at all', bytes: 'hello\r\n\r\n', status: 400 },
  { name: 'TLS', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: 400 },
  { name: 'an unknown method', bytes: 'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n', status: 400 },
  { name: 'a header without a colon', bytes: 'GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n', status: 400 },
  { name: 'no Host', bytes: 'GET /health HTTP/1.1\r\n\r\n', status: 400 },
  {
    name: 'a negative length',
    bytes: 'POST /activate HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    status: 400,
  },
  {
    name: 'too many headers',
    bytes: `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
    status: 431,
  },
];

describe('what is no HTTP', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  for (const { name, bytes, status } of malformed) {
    it(`${name}: ${status} in JSON, and the connection ends`, async () => {
      const client = await RawConnection.open(gateway.url);
      await client.send(bytes);
      const answer = await client.next();
      assert.equal(answer?.status, status);
      assert.match(headerValue(answer, 'content-type') ?? '', /^application\/json/);
      const { error, code } = JSON.parse(answer.body.toString()) as { error: string; code: string };
      assert.equal(code, 'invalid_request');
      assert.ok(error.length > 10);
      await client.closed();
    });
  }

  it('a malformed chunk within an upload ends the request to the provider too', async () => {
    const client = await RawConnection.open(gateway.url);
    const receiving = nextRequest(gateway.simulator);
    const headers = [
      `Authorization: Bearer ${device.proxyKey}`,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
    ];
    await client.send(rawRequest(`POST ${CHAT_PATH}`, headers, '6\r\n{"a":1\r\n'));
    const request = await receiving;
    await client.send('not a size\r\n');
    await request.closed;
    assert.equal(request.aborted, true);
    assert.equal(request.ended, false);
    await client.closed();
    await assertNothingOpen(gateway);
  });
});
