import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import {
  inMegabytes,
  MEGABYTE,
  memoryInUse,
  startProvider,
  stops,
  type OwnProvider,
} from '../support/streams.ts';

const TOTAL = 200 * MEGABYTE;
/** What two TCP connections' buffers in the operating system hold at most, with room to spare. */
const BUFFERED = 40 * MEGABYTE;
const PIECE = Buffer.alloc(65_536, 'an upload, ');

describe('a provider that does not read', () => {
  let provider: OwnProvider;
  let gateway: TestGateway;
  let device: TestDevice;
  const uploading = Promise.withResolvers<IncomingMessage>();
  before(async () => {
    provider = await startProvider((req, res) => {
      uploading.resolve(req);
      req.once('end', () => res.end('{}'));
    });
    gateway = await startTestGateway({
      counters: 'memory',
      env: { OPENAI_BASE_URL: provider.url, MAX_BODY_BYTES: String(TOTAL) },
    });
    device = await gateway.device();
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });

  it('slows the client’s upload down, and gets everything intact when it reads on', async (t) => {
    const before = memoryInUse();
    const request = http.request(`${gateway.url}/proxy/openai/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${device.proxyKey}`, 'content-type': 'application/octet-stream' },
      agent: false,
    });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    let written = 0;
    const sent = createHash('sha256');
    const sending = (async () => {
      while (written < TOTAL) {
        written += PIECE.length;
        sent.update(PIECE);
        if (!request.write(PIECE)) await once(request, 'drain');
      }
      request.end();
    })();
    const upstream = await uploading.promise;
    const stoppedAt = await stops(() => written);
    const growth = memoryInUse() - before;
    t.diagnostic(`the client could write ${inMegabytes(stoppedAt)} of ${inMegabytes(TOTAL)}`);
    t.diagnostic(`memory ${inMegabytes(growth)} more`);
    assert.ok(stoppedAt < BUFFERED);
    assert.ok(growth < 5 * MEGABYTE);
    const received = createHash('sha256');
    upstream.on('data', (piece: Buffer) => received.update(piece));
    await sending;
    const [answer] = await answered;
    assert.equal(answer.statusCode, 200);
    answer.resume();
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });
});
