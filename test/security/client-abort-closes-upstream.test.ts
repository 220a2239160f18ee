import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection, rawRequest } from '../support/raw-http.ts';
import {
  assertNothingOpen,
  CHAT_PATH,
  chatBytes,
  FORMS,
  inMilliseconds,
  median,
  nextRequest,
  PROMPTLY,
} from '../support/streams.ts';

const TRIES = 12;

describe('a client that goes away closes the request to the provider within 100 ms', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device({ tier: 'enterprise' });
  });
  after(() => gateway.close());

  /** Sends bytes, waits for the moment, goes away; how long the provider's side then stayed open. */
  async function abort(
    bytes: Buffer,
    { ready, how }: { ready: (client: RawConnection) => Promise<void>; how: 'destroy' | 'reset' },
  ): Promise<number> {
    const client = await RawConnection.open(gateway.url);
    const received = nextRequest(gateway.simulator);
    await client.send(bytes);
    const request = await received;
    await ready(client);
    const isOver = request.closedAt !== undefined;
    assert.equal(isOver, false, 'the request was over before the client went away');
    const leftAt = Date.now();
    client[how]();
    await request.closed;
    assert.equal(request.aborted, true, 'the provider ended the request by itself');
    return (request.closedAt ?? Infinity) - leftAt;
  }

  async function measure(
    bytes: () => Buffer,
    ready: (client: RawConnection) => Promise<void>,
  ): Promise<number[]> {
    const took: number[] = [];
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      took.push(await abort(bytes(), { ready, how: attempt % 2 === 0 ? 'destroy' : 'reset' }));
    }
    await assertNothingOpen(gateway);
    return took;
  }

  const moments = [
    { when: 'before the provider answers', simulate: 'hang=before-headers', ready: () => Promise.resolve() },
    {
      when: 'mid-stream',
      simulate: 'hang=mid-stream, chunks=8',
      ready: (client: RawConnection) => client.receives((bytes) => bytes.includes('"content":"')),
    },
    {
      when: 'between two chunks that are far apart',
      simulate: 'chunks=8, chunk-delay=60000',
      ready: (client: RawConnection) => client.receives((bytes) => bytes.includes('"content":"')),
    },
  ];
  for (const { when, simulate, ready } of moments) {
    for (const form of FORMS) {
      it(`${when}, ${form}`, async (t) => {
        const took = await measure(() => chatBytes(device, { form, stream: true, simulate }), ready);
        t.diagnostic(`upstream closed after: ${inMilliseconds(took)}`);
        assert.ok(median(took) <= PROMPTLY);
      });
    }
  }

  it('while uploading, drop-in', async (t) => {
    const headers = [
      `Authorization: Bearer ${device.proxyKey}`,
      'Content-Type: application/json',
      'Content-Length: 1000000',
    ];
    const halfOfIt = rawRequest(
      `POST ${CHAT_PATH}`,
      headers,
      `{"model":"gpt-4o","x":"${'x'.repeat(500_000)}`,
    );
    const took = await measure(
      () => halfOfIt,
      () => Promise.resolve(),
    );
    t.diagnostic(`upstream closed after: ${inMilliseconds(took)}`);
    assert.ok(median(took) <= PROMPTLY);
  });

  it('while uploading an envelope: the provider is never asked, and nothing is counted', async () => {
    const { proxyKey, licenseId } = device;
    const usage = async () => (await gateway.admin(`/licenses/${licenseId}`)).text;
    const before = await usage();
    const asked = gateway.simulator.requests.length;
    const whole = chatBytes(device, { form: 'envelope', prompt: 'x'.repeat(500_000) });
    assert.ok(whole.includes(proxyKey));
    const client = await RawConnection.open(gateway.url);
    await client.send(whole.subarray(0, whole.length - 10));
    client.destroy();
    await assertNothingOpen(gateway);
    assert.equal(gateway.simulator.requests.length, asked);
    assert.equal(await usage(), before);
  });
});
