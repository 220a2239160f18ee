import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import {
  assertNothingOpen,
  chatBytes,
  FORMS,
  inMilliseconds,
  median,
  nextRequest,
  PROMPTLY,
} from '../support/streams.ts';

const TRIES = 8;

/** Where the provider dies, and what of its answer the client must have by then. */
const deaths = [
  { die: 'mid-stream', simulate: 'die=mid-stream, chunks=10', stream: true, seen: '"content":"' },
  { die: 'after-headers', simulate: 'die=after-headers', stream: true, seen: 'HTTP/1.1 200' },
  { die: 'mid-json', simulate: 'die=mid-json', stream: false, seen: '{"id":"chatcmpl' },
  { die: 'mid-json', simulate: 'die=mid-json, chunked', stream: false, seen: '{"id":"chatcmpl' },
];

describe('a provider that dies within its answer takes the client’s connection with it, within 100 ms', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device({ tier: 'enterprise' });
  });
  after(() => gateway.close());

  for (const form of FORMS) {
    for (const { die, simulate, stream, seen } of deaths) {
      it(`${simulate}, ${form}`, async (t) => {
        const took: number[] = [];
        for (let attempt = 0; attempt < TRIES; attempt += 1) {
          const client = await RawConnection.open(gateway.url);
          const receiving = nextRequest(gateway.simulator);
          await client.send(chatBytes(device, { form, stream, simulate }));
          const request = await receiving;
          await request.closed;
          assert.equal(request.responseFinished, false);
          await client.closed();
          took.push(Date.now() - (request.closedAt ?? 0));
          const received = client.received.toString('latin1');
          // Of an answer that is not a stream, the head waits for the body's first byte: then nothing may come at all.
          if (die !== 'after-headers' || received !== '') assert.ok(received.includes(seen), received);
          assertTruncated(received);
        }
        await assertNothingOpen(gateway);
        t.diagnostic(`client's connection closed after: ${inMilliseconds(took)}`);
        assert.ok(median(took) <= PROMPTLY);
      });
    }
  }
});

/** Neither framing of HTTP/1.1 says that the body is complete. */
function assertTruncated(received: string): void {
  const [head = '', body = ''] = received.split(/\r\n\r\n(.*)/s, 2);
  const declared = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (declared !== undefined) assert.ok(body.length < Number(declared), 'the body has its declared length');
  else assert.doesNotMatch(received, /(?:^|\r\n)0+\r\n(?:.*\r\n)*\r\n$/s, 'the chunked body was terminated');
}
