import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  boundDevice,
  CHAT,
  newDeviceKey,
  send,
  signingTiers,
  signMessage,
  stamp,
  stampHeaders,
} from '../support/signing.ts';

const MAX = 2_000_000;
const TRANSCRIPTIONS = '/proxy/openai/v1/audio/transcriptions';

interface Upload {
  request: http.ClientRequest;
  answer: Promise<{ status: number; text: string }>;
}

/** A request whose body is sent by and by, in chunks. */
function upload(gateway: TestGateway, target: string, headers: http.OutgoingHttpHeaders): Upload {
  const request = http.request(gateway.url + target, { method: 'POST', headers });
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      void text(response).then((all) => resolve({ status: response.statusCode ?? 0, text: all }), reject);
    });
  });
  return { request, answer };
}

describe('a body that is signed', () => {
  let gateway: TestGateway;
  before(async () => {
    const env = { MAX_BODY_BYTES: String(MAX) };
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory', env });
  });
  after(() => gateway.close());

  const large = JSON.stringify({
    messages: [{ role: 'user', content: 'x'.repeat(1_500_000) }],
    model: 'gpt-4o',
  });

  it('reaches the provider only when it is complete and verified', async () => {
    const { proxyKey } = await gateway.device({ tier: 'signed' });
    const headers = { authorization: `Bearer ${proxyKey}`, 'content-type': 'application/json' };
    const seen = gateway.simulator.requests.length;
    const forged = upload(gateway, CHAT, { ...headers, ...stampHeaders(stamp(proxyKey, 'openai', large)) });
    forged.request.write(large.slice(0, 1_000_000));
    forged.request.end(large.slice(1_000_001));
    assert.equal((await forged.answer).status, 401);
    assert.equal(gateway.simulator.requests.length, seen, 'not even its beginning was passed on');

    const good = upload(gateway, CHAT, { ...headers, ...stampHeaders(stamp(proxyKey, 'openai', large)) });
    good.request.write(large.slice(0, 1_000_000));
    good.request.end(large.slice(1_000_000));
    assert.equal((await good.answer).status, 200);
    const received = gateway.simulator.requests.at(-1);
    assert.equal(received?.body.toString(), large);
    assert.equal(received.headers['content-length'], String(large.length));
    assert.equal(received.headers['transfer-encoding'], undefined);
  });

  it('is not even read where its signature cannot be right', async () => {
    const key = newDeviceKey();
    const { proxyKey } = await boundDevice(gateway, key);
    for (const signature of [{}, signMessage({ key: newDeviceKey(), body: large })]) {
      const headers = { authorization: `Bearer ${proxyKey}`, 'content-type': 'application/json' };
      const begun = upload(gateway, CHAT, { ...headers, ...signature });
      begun.request.write(large.slice(0, 10));
      assert.equal((await begun.answer).status, 401, 'it is answered before the body is complete');
      begun.request.destroy();
    }
  });

  it('beyond the bound is 413, whether it says so at once or not', async () => {
    const { proxyKey } = await gateway.device({ tier: 'signed' });
    const body = Buffer.alloc(MAX + 1, 'x');
    const headers = { authorization: `Bearer ${proxyKey}`, ...stampHeaders(stamp(proxyKey, 'openai', body)) };
    const chunked = upload(gateway, CHAT, { ...headers, 'content-type': 'application/json' });
    chunked.request.end(body);
    assert.equal((await chunked.answer).status, 413);
    assert.equal((await send(gateway, CHAT, { headers, body })).status, 413);
  });

  it('of an upload arrives byte for byte, with its content type, and its model is counted', async () => {
    const device = await gateway.device({ tier: 'signed' });
    const { proxyKey } = device;
    const audio = randomBytes(300_000);
    const body = Buffer.concat([
      Buffer.from('--b0\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'),
      audio,
      Buffer.from('\r\n--b0\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b0--\r\n'),
    ]);
    const headers = {
      authorization: `Bearer ${proxyKey}`,
      'content-type': 'multipart/form-data; boundary=b0',
      ...stampHeaders(stamp(proxyKey, 'openai', body)),
    };
    const answer = await send(gateway, TRANSCRIPTIONS, { headers, body });
    assert.equal(answer.status, 200, answer.text);
    const received = gateway.simulator.requests.at(-1);
    assert.ok(received?.body.equals(body) === true);
    assert.equal(received.headers['content-type'], 'multipart/form-data; boundary=b0');
    await eventually(async () => {
      const rows = await gateway.gateway
        .knex('usage')
        .where({ license_id: device.licenseId })
        .select('model');
      assert.deepEqual(rows, [{ model: 'whisper-1' }]);
    }, 5_000);
  });

  it('that its client takes away half-way leaves nothing behind', async () => {
    const device = await gateway.device({ tier: 'signed' });
    const headers = {
      authorization: `Bearer ${device.proxyKey}`,
      'content-type': 'application/json',
      ...stampHeaders(stamp(device.proxyKey, 'openai', large)),
    };
    const begun = upload(gateway, CHAT, headers);
    begun.answer.catch(() => undefined);
    begun.request.write(large.slice(0, 1_000_000));
    await new Promise((resolve) => setImmediate(resolve));
    begun.request.destroy();
    await eventually(() => {
      const ended = gateway.logLines().filter((line) => line.license === device.licenseId);
      assert.ok(
        ended.some((line) => line.outcome === 'client_gone'),
        JSON.stringify(ended),
      );
    }, 5_000);
    assert.equal((await gateway.gateway.admission.used(device.licenseId)).today, 0);
  });
});
