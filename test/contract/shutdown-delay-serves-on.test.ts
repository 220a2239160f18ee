import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventually } from '../support/eventually.ts';
import { askRaw, headerValue, rawRequest, RawConnection, type RawResponse } from '../support/raw-http.ts';
import { chatBytes, startProvider } from '../support/streams.ts';

const DELAY = 1_500;
const health = rawRequest('GET /health', []);

async function readiness({ internalUrl }: TestGateway): Promise<string> {
  const answer = await fetch(`${internalUrl}/health/ready`);
  return `${answer.status} ${await answer.text()}`;
}

function connectionOf(answer: RawResponse | undefined): string | undefined {
  return answer && headerValue(answer, 'connection');
}

it('for SHUTDOWN_DELAY_MS a gateway serves on, unready, and each answer closes its connection', async (t) => {
  const answering = Promise.withResolvers<ServerResponse>();
  const provider = await startProvider((req, res) => {
    req.resume();
    answering.resolve(res);
  });
  t.after(() => provider.close());
  const env = { OPENAI_BASE_URL: provider.url, SHUTDOWN_DELAY_MS: String(DELAY) };
  const gateway = await startTestGateway({ counters: 'memory', env });
  t.after(() => gateway.close());
  const device = await gateway.device();
  const [underWay, idle, silent] = await Promise.all([
    RawConnection.open(gateway.url),
    RawConnection.open(gateway.url),
    RawConnection.open(gateway.url),
  ]);
  await idle.send(health);
  assert.equal(connectionOf(await idle.next()), 'keep-alive');
  await underWay.send(chatBytes(device));
  const upstream = await answering.promise;
  assert.equal(await readiness(gateway), '200 {"status":"ok"}');

  const began = performance.now();
  const closing = gateway.close();
  const red = '503 {"status":"not ready","reason":"shutting down"}';
  await eventually(async () => assert.equal(await readiness(gateway), red), DELAY);
  t.diagnostic(`unready ${(performance.now() - began).toFixed(0)} ms after it was asked to stop`);
  // On a connection of before, on a new one, and for a request of before.
  await idle.send(health);
  upstream.setHeader('content-type', 'application/json').end('{}');
  for (const answer of [await idle.next(), await askRaw(gateway.url, health), await underWay.next()]) {
    assert.equal(answer?.status, 200);
    assert.equal(connectionOf(answer), 'close');
  }
  await Promise.all([idle.closed(), underWay.closed()]);
  assert.ok(performance.now() - began < DELAY, 'the machine was too slow to tell');

  await closing;
  const took = performance.now() - began;
  t.diagnostic(`stopped after ${took.toFixed(0)} ms with a delay of ${DELAY}`);
  assert.ok(took >= DELAY);
  assert.equal(await silent.closed(), 'ended');
  await assert.rejects(RawConnection.open(gateway.url), /ECONNREFUSED/);
});
