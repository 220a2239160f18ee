import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { fetchChat, startRawProvider } from '../support/streams.ts';

const startTracing = (endpoint: string): Promise<TestGateway> =>
  startTestGateway({ counters: 'memory', env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });

it('what is left is sent when the gateway stops', async (t) => {
  const receiver = await startOtlpReceiver();
  t.after(() => receiver.close());
  const gateway = await startTracing(receiver.url);
  await gateway.request('/version');
  await gateway.close();
  assert.ok(receiver.spans.some(({ name }) => name === 'GET /version'));
});

it('a receiver that never answers delays no request, and the stop by two seconds', async (t) => {
  const asked = Promise.withResolvers<Socket>();
  const silent = await startRawProvider((socket) => asked.resolve(socket.resume()));
  t.after(() => silent.close());
  const gateway = await startTracing(silent.url);
  const device = await gateway.device();
  let longest = 0;
  const chat = async (): Promise<void> => {
    const sentAt = performance.now();
    assert.equal((await fetchChat(gateway, device, {})).status, 200);
    longest = Math.max(longest, performance.now() - sentAt);
  };
  await chat();
  const socket = await asked.promise;
  for (let count = 0; count < 20; count += 1) await chat();
  assert.equal(socket.destroyed, false, 'spans were waiting for an answer meanwhile');
  // It would be five seconds, which is what a batch may take.
  assert.ok(longest < 1_500, `${longest} ms`);
  const began = performance.now();
  await gateway.close();
  assert.ok(performance.now() - began < 4_000);
  await eventually(() => assert.equal(socket.destroyed, true), 1_000);
});

it('one that is away is mentioned once, without its spans', async (t) => {
  const gateway = await startTracing('http://127.0.0.1:9');
  t.after(() => gateway.close());
  await gateway.request('/version');
  await eventually(() => {
    const lines = gateway.logLines().filter(({ msg }) => String(msg).startsWith('spans cannot be sent'));
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.level, 'error');
  }, 20_000);
});
