import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { MEGABYTE, nextRequest } from '../support/streams.ts';

const PATH = '/proxy/openai/v1/audio/transcriptions';

describe('a drop-in upload of 30 MB reaches the provider byte for byte, framed as the client framed it', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  const form = multipart(randomBytes(30 * MEGABYTE));
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  for (const framing of [
    { 'content-length': String(form.body.length) },
    { 'transfer-encoding': 'chunked' },
  ]) {
    it(Object.keys(framing).join(), async () => {
      const request = http.request(gateway.url + PATH, {
        method: 'POST',
        headers: { authorization: `Bearer ${device.proxyKey}`, 'content-type': form.type, ...framing },
        agent: false,
      });
      const receiving = nextRequest(gateway.simulator);
      const answered = once(request, 'response') as Promise<[IncomingMessage]>;
      request.end(form.body);
      const [answer] = await answered;
      assert.equal(answer.statusCode, 200);
      answer.resume();
      const received = await receiving;
      assert.equal(received.url, '/v1/audio/transcriptions');
      assert.equal(received.headers['content-type'], form.type);
      const { 'content-length': length, 'transfer-encoding': coding } = received.headers;
      assert.deepEqual(
        { ...(length && { 'content-length': length }), ...(coding && { 'transfer-encoding': coding }) },
        framing,
      );
      assert.equal(received.body.length, form.body.length);
      assert.ok(received.body.equals(form.body), 'the upload is not the same');
      gateway.simulator.reset();
    });
  }
});

/** A form with a file and the fields that a transcription needs. */
function multipart(file: Buffer): { type: string; body: Buffer } {
  const boundary = 'a-boundary-of-this-test';
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n` +
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n` +
    'Content-Type: audio/mpeg\r\n\r\n';
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}
