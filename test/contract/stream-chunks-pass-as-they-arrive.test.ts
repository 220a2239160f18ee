import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { fetchChat, FORMS, inMilliseconds, startProvider, type OwnProvider } from '../support/streams.ts';

const PIECES = 200;

describe('each piece of an answer is passed on as it arrives', () => {
  let provider: OwnProvider;
  let gateway: TestGateway;
  let device: TestDevice;
  let answering = Promise.withResolvers<ServerResponse>();
  let contentType = '';

  before(async () => {
    provider = await startProvider((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': contentType });
      answering.resolve(res);
    });
    gateway = await startTestGateway({ counters: 'memory', env: { OPENAI_BASE_URL: provider.url } });
    device = await gateway.device({ tier: 'enterprise' });
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });

  for (const form of FORMS) {
    for (const type of ['text/event-stream', 'audio/mpeg', 'application/json']) {
      it(`${type}, ${form}: one byte after the other, each sent when the one before has reached the client`, async (t) => {
        contentType = type;
        answering = Promise.withResolvers();
        const arriving = fetchChat(gateway, device, { form, stream: true });
        const upstream = await answering.promise;
        upstream.write(Buffer.of(0));
        const answer = await arriving;
        const reader = answer.body?.getReader();
        assert.ok(reader);
        assert.deepEqual(await reader.read(), { done: false, value: Uint8Array.of(0) });
        const took: number[] = [];
        for (let byte = 1; byte < PIECES; byte += 1) {
          const sentAt = performance.now();
          upstream.write(Buffer.of(byte));
          const piece: unknown = await reader.read();
          took.push(performance.now() - sentAt);
          assert.deepEqual(piece, { done: false, value: Uint8Array.of(byte) });
        }
        upstream.end();
        assert.equal((await reader.read()).done, true);
        t.diagnostic(`provider to client, one byte: ${inMilliseconds(took)}`);
      });
    }
  }

  it('the head of an event stream reaches the client before its first event exists', async () => {
    contentType = 'text/event-stream; charset=utf-8';
    answering = Promise.withResolvers();
    const arriving = fetchChat(gateway, device, { stream: true });
    const upstream = await answering.promise;
    upstream.flushHeaders();
    const answer = await arriving;
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), contentType);
    assert.equal(answer.headers.get('x-accel-buffering'), 'no');
    assert.equal(answer.headers.get('content-length'), null);
    upstream.end('data: [DONE]\n\n');
    assert.equal(await answer.text(), 'data: [DONE]\n\n');
  });
});
