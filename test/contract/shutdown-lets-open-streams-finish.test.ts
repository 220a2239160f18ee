import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import { chatBytes, startProvider, type OwnProvider } from '../support/streams.ts';

const DRAIN = 30_000;

describe('a gateway that is asked to stop', () => {
  let provider: OwnProvider;
  let gateway: TestGateway;
  let device: TestDevice;
  const answering = Promise.withResolvers<ServerResponse>();
  before(async () => {
    provider = await startProvider((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
      answering.resolve(res);
    });
    gateway = await startTestGateway({
      counters: 'memory',
      env: { OPENAI_BASE_URL: provider.url, SHUTDOWN_TIMEOUT_MS: String(DRAIN) },
    });
    device = await gateway.device();
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });

  it('turns unready, then takes no new connections, and stops as soon as its open streams have ended', async (t) => {
    const idle = await RawConnection.open(gateway.url);
    await idle.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal((await idle.next())?.status, 200);
    const client = await RawConnection.open(gateway.url);
    await client.send(chatBytes(device, { stream: true }));
    const upstream = await answering.promise;
    await client.receives((bytes) => bytes.includes('data: first'));

    const closing = gateway.close();
    const seen = await watchStop(gateway);
    t.diagnostic(`readiness before and after the port closed: ${seen.join(', ')}`);
    assert.equal(seen.at(-1), 'closed, 503 shutting down');
    assert.equal(
      seen.includes('closed, 200 '),
      false,
      'the port closed while the gateway called itself ready',
    );
    assert.equal((await fetch(`${gateway.internalUrl}/health/live`)).status, 200);
    assert.match(await gateway.metrics(), /^licensify_open_requests 1$/m);
    await idle.closed();

    upstream.write('data: second\n\n');
    await client.receives((bytes) => bytes.includes('data: second'));
    upstream.end('data: [DONE]\n\n');
    const endedAt = performance.now();
    const answer = await client.next();
    assert.equal(answer?.body.toString(), 'data: first\n\ndata: second\n\ndata: [DONE]\n\n');
    await closing;
    t.diagnostic(`stopped ${(performance.now() - endedAt).toFixed(0)} ms after the last stream's end`);
    assert.ok(performance.now() - endedAt < DRAIN / 4);
    await client.closed();
  });
});

/** What a load balancer sees, from before the stop to when the public port is closed and the readiness known. */
async function watchStop({ url, internalUrl }: TestGateway): Promise<string[]> {
  const seen = new Set<string>();
  for (let round = 0; round < 10_000; round += 1) {
    // The port first: were it closed before readiness changed, that would be seen here.
    const port = await isOpen(url);
    const ready = await fetch(`${internalUrl}/health/ready`);
    const { reason = '' } = (await ready.json()) as { reason?: string };
    seen.add(`${port}, ${ready.status} ${reason}`);
    if (port === 'closed') return [...seen];
    await setImmediate();
  }
  throw new Error('the public port stays open');
}

async function isOpen(url: string): Promise<'open' | 'closed'> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return 'open';
  } catch {
    return 'closed';
  } finally {
    socket.destroy();
  }
}
