import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { RawConnection, rawPost, rawRequest } from '../support/raw-http.ts';
import { CHAT_PATH, inMegabytes, MEGABYTE, nextRequest } from '../support/streams.ts';

/** What a parser that writes JSON again would change, one way or another. */
const MEMBERS = [
  '"beyond doubles": [9007199254740993, -9223372036854775808, 0.1000000000000000055511151231257827, 1e400]',
  '"spelled": [-0, 1.0, 1.50, 1E5, 1e+05, 12345678901234567890123456789]',
  '"twice": 1, "twice": 2, "TWICE": 3',
  '"10": "ten", "9": "nine", "z": 0, "a": 1, "__proto__": {"polluted": true}, "constructor": null',
  String.raw`"escapes": "\u0041\/\b\f\n\r\t\"\\ \ud83d\ude00 \uD83D\uDE00 \u00e9 \u2028 \u0000"`,
  String.raw`"lone surrogate": "\ud800", "key\u0020escaped": "\\\\\\\" not the end"`,
  '"plain unicode": "é 中文 😀 \u2028\u2029 \ufeff \u007f ﷽", "ключ": "значение"',
  '"odd spacing"\t:\r\n [ 1 ,2\t,  3,\n{ } , [ ]   ] ',
  '"looks like an end": "}}]}\\"}", "proxy_key": "inside", "provider": "inside", "body": {"body": {}}',
];

/** A JSON object of a size, made of such members. */
function oddBody(bytes: number): Buffer {
  const block = Buffer.from(`, ${MEMBERS.join(' ,\n ')}`);
  const head = Buffer.from(
    '{ "model" : "gpt-4o",\n"messages": [ {"role":"user","content":"Hi"} ] , "max_tokens": 5',
  );
  const blocks = Array<Buffer>(Math.ceil((bytes - head.length) / block.length)).fill(block);
  return Buffer.concat([head, ...blocks, Buffer.from('  \n}')]);
}

describe('the body of an envelope reaches the provider byte for byte', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  /** The envelope with its members in this order and this spacing around them. */
  function envelope(body: Buffer, order: 'body first' | 'body last'): Buffer {
    const others = `"proxy_key" :\t"${device.proxyKey}","hardware_id":"${device.hardwareId}" , "provider":"openai"`;
    const parts =
      order === 'body first'
        ? ['{\n "body"  :\r\n ', body, ` , ${others} }\n`]
        : [`{${others},"body":`, body, '}'];
    return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  }

  async function arrives(bytes: Buffer[], body: Buffer): Promise<void> {
    const client = await RawConnection.open(gateway.url);
    const receiving = nextRequest(gateway.simulator);
    const sending = client.send(...bytes);
    const request = await receiving;
    await sending;
    const answer = await client.next();
    client.destroy();
    assert.equal(answer?.status, 200);
    assert.equal(request.body.length, body.length);
    assert.ok(request.body.equals(body), 'the body is not the same');
    assert.equal(request.headers['content-type'], 'application/json');
    assert.equal(request.headers['content-length'], String(body.length));
    assert.equal(request.headers['transfer-encoding'], undefined);
    gateway.simulator.reset();
  }

  for (const order of ['body first', 'body last'] as const) {
    it(`30 MB, ${order}`, async (t) => {
      const body = oddBody(30 * MEGABYTE);
      assert.doesNotThrow(() => JSON.parse(body.toString()) as unknown);
      await arrives([rawPost(CHAT_PATH, ['Content-Type: application/json'], envelope(body, order))], body);
      t.diagnostic(`${inMegabytes(body.length)} of JSON arrived as they were`);
    });
  }

  it('sent in chunks of every size, cut within characters and escapes, as JSON of another charset name', async () => {
    const body = oddBody(20_000);
    const whole = envelope(body, 'body first');
    const headers = ['Content-Type: application/json; charset=UTF-8', 'Transfer-Encoding: chunked'];
    const pieces = [rawRequest(`POST ${CHAT_PATH}`, headers)];
    for (let at = 0, size = 1; at < whole.length; at += size, size = (size % 97) + 1) {
      const piece = whole.subarray(at, at + size);
      pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    }
    await arrives([...pieces, Buffer.from('0\r\n\r\n')], body);
  });

  it('an empty path is the provider’s own, and an empty object stays one', async () => {
    const receiving = nextRequest(gateway.simulator);
    const client = await RawConnection.open(gateway.url);
    const body = Buffer.from('{ \n }');
    await client.send(
      rawPost('/proxy/openai', ['Content-Type: application/json'], envelope(body, 'body last')),
    );
    const request = await receiving;
    await client.next();
    client.destroy();
    assert.equal(request.url, '/v1/chat/completions');
    assert.equal(request.body.toString(), '{ \n }');
  });
});
