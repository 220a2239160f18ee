import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { createLogger } from '../../src/observe/log.ts';
import { OtlpTracing } from '../../src/observe/tracing/otlp-tracing.ts';
import { eventually } from '../support/eventually.ts';
import { captureLog } from '../support/output.ts';

const bounds = { spans: 400, batch: 50, every: 20, within: 100, closeWithin: 150 };
/** A batch that was given up may lie where it is broken off. */
const MOST_ALIVE = bounds.spans + bounds.batch;

/** The spans in this process' memory, after a full collection of garbage. */
const liveSpans = (): number => queryObjects(spanClass, { format: 'count' });
const spanClass = new TracerProvider().getTracer('test').startSpan('any').constructor;

interface Receiver {
  url: string;
  answer: http.RequestListener;
  connections(): Promise<number>;
}

async function startReceiver(t: TestContext, answer: http.RequestListener): Promise<Receiver> {
  const server = http.createServer((req, res) => receiver.answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
  };
  return receiver;
}

const silent: http.RequestListener = (req) => void req.resume();
/** Each byte begins the exporter's own time anew. */
const dribbling: http.RequestListener = (req, res) => {
  req.resume();
  res.flushHeaders();
  const drip = setInterval(() => res.write(' '), 20);
  res.on('close', () => clearInterval(drip));
};
const broken: http.RequestListener = (_req, res) => void res.writeHead(400).end();

function open(url: string): { tracing: OtlpTracing; logged: () => Record<string, unknown>[] } {
  const { destination, lines } = captureLog();
  const settings = {
    endpoint: url,
    headers: {},
    serviceName: 'test',
    sampler: 'always_on',
    ratio: 1,
  } as const;
  return {
    tracing: new OtlpTracing(settings, createLogger('info', destination), '0', bounds),
    logged: lines,
  };
}

/** Two spans. */
function trace(tracing: OtlpTracing): void {
  const request = tracing.begin(undefined, performance.now());
  request.step('authenticate')();
  const ended = { method: 'POST', path: '/v1/chat/completions', status: 200, outcome: 'ok', requestId: 'r' };
  const who = { license: 'lic_1', tier: 'pro', provider: 'openai', failed: false };
  request.end({ ...ended, ...who }, 200);
}

for (const [what, answer] of Object.entries({ silent, dribbling, broken })) {
  it(`with a receiver that is ${what} no more spans are kept than the queue takes`, async (t) => {
    const receiver = await startReceiver(t, answer);
    const { tracing, logged } = open(receiver.url);
    const before = liveSpans();
    let most = 0;
    // Long enough for several batches to be given up.
    for (let round = 1; round <= 40; round += 1) {
      for (let count = 0; count < 100; count += 1) trace(tracing);
      await sleep(15);
      if (round % 20 === 0) most = Math.max(most, liveSpans() - before);
    }
    assert.ok(most <= MOST_ALIVE, `${most} are alive`);
    assert.ok(logged().some(({ msg }) => String(msg).startsWith('spans cannot be sent')));
    const closing = performance.now();
    await tracing.close();
    const took = performance.now() - closing;
    assert.ok(took < bounds.closeWithin + 250, `closing took ${took} ms`);
    await eventually(async () => assert.equal(await receiver.connections(), 0), 2_000);
    assert.ok(liveSpans() - before < bounds.batch);
  });
}

it('a receiver that answers again gets what was kept, and it is said that spans were lost', async (t) => {
  const { promise: hangs, resolve: hang } = Promise.withResolvers<undefined>();
  const receiver = await startReceiver(t, (req) => {
    req.resume();
    hang(undefined);
  });
  const { tracing, logged } = open(receiver.url);
  for (let count = 0; count < 1_000; count += 1) trace(tracing);
  await hangs;
  let received = 0;
  receiver.answer = (req, res) => {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      received +=
        Buffer.concat(pieces)
          .toString()
          .match(/"spanId"/g)?.length ?? 0;
      res.setHeader('content-type', 'application/json').end('{}');
    });
  };
  await eventually(() => assert.equal(received, bounds.spans - bounds.batch), 3_000);
  await eventually(() => assert.ok(logged().some(({ msg }) => String(msg).startsWith('over: spans'))), 1_000);
  await tracing.close();
  assert.equal(
    received,
    bounds.spans - bounds.batch,
    'the one batch that hung is lost, and what had no room',
  );
});
