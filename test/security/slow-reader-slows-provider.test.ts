import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { PATIENCE } from '../support/raw-http.ts';
import {
  assertNothingOpen,
  chat,
  CHAT_PATH,
  inMegabytes,
  MEGABYTE,
  memoryInUse,
  nextRequest,
  stops,
} from '../support/streams.ts';

const CHUNKS = 40_000;
const CHUNK_BYTES = 5_000;
/** What two TCP connections' buffers in the operating system hold at most, with room to spare. */
const BUFFERED = 40 * MEGABYTE;
const READERS = 20;

describe('a client that does not read', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device({ tier: 'enterprise' });
  });
  after(() => gateway.close());

  /** Asks for 200 MB and reads nothing of it. */
  async function ask(): Promise<IncomingMessage> {
    const simulate = `chunks=${CHUNKS}, chunk-bytes=${CHUNK_BYTES}`;
    const { headers, body } = chat(device, { stream: true, simulate });
    const request = http.request(gateway.url + CHAT_PATH, { method: 'POST', headers, agent: false });
    request.end(body);
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return answer;
  }

  it('slows its provider down, and gets everything intact when it reads on', async (t) => {
    const receiving = nextRequest(gateway.simulator);
    const answer = await ask();
    const request = await receiving;
    const written = await stops(() => request.bytesWritten);
    t.diagnostic(`the provider could write ${inMegabytes(written)} of ${inMegabytes(CHUNKS * CHUNK_BYTES)}`);
    assert.equal(request.closedAt, undefined);
    assert.ok(written < BUFFERED);
    let next = 0;
    let rest = '';
    for await (const piece of answer) {
      const events = (rest + String(piece)).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const number = /"content":"(\d+) x{4000}/.exec(event)?.[1];
        if (number === undefined) continue;
        assert.equal(Number(number), next);
        next += 1;
      }
    }
    assert.equal(next, CHUNKS);
    assert.equal(answer.complete, true);
    await eventually(() => assert.equal(request.responseFinished, true), PATIENCE);
  });

  it(`costs no memory: ${READERS} of them at once`, async (t) => {
    const before = memoryInUse();
    const first = gateway.simulator.requests.length;
    const answers = await Promise.all(Array.from({ length: READERS }, ask));
    const written = await stops(() =>
      gateway.simulator.requests.slice(first).reduce((sum, request) => sum + request.bytesWritten, 0),
    );
    const growth = memoryInUse() - before;
    t.diagnostic(
      `${inMegabytes(written)} written for ${READERS} readers, memory ${inMegabytes(growth)} more`,
    );
    // Gateway, provider and clients together: each holds a few buffers of 64 kB for each stream.
    assert.ok(growth < READERS * MEGABYTE);
    for (const answer of answers) answer.destroy();
    await assertNothingOpen(gateway);
  });
});
