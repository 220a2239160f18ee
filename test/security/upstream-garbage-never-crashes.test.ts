import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headerValue, RawConnection, rawPost } from '../support/raw-http.ts';
import { assertClearError, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';
import { rawAnswer, RawUpstream } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

/** Answers that cannot be passed on: the client gets 502, unless a head was sent already. */
const unusable: Record<string, string> = {
  nothing: '',
  'random bytes': '\x00\x01\xff\xfe no http at all \r\n\r\n',
  'an HTTP/2 preface': '\x00\x00\x12\x04\x00\x00\x00\x00\x00',
  'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
  'a status that is no number': 'HTTP/1.1 OK\r\n\r\n',
  'a head that never ends': `${OK}X: ${'a'.repeat(100_000)}`,
  'a status below 100': 'HTTP/1.1 042 Odd\r\nContent-Length: 0\r\n\r\n',
  'two different lengths': `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  'a length and chunks': `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a negative length': `${OK}Content-Length: -1\r\n\r\n`,
  'a NUL in a header': `${OK}X: a\0b\r\nContent-Length: 0\r\n\r\n`,
  'a bare CR in a header': `${OK}X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n`,
  'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nxyz',
};

/** Answers that begin well: what the client gets is never complete. */
const cutShort: Record<string, string> = {
  'less than the length says': `${OK}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":`,
  'a chunk without its end': `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nabc`,
  'no last chunk': `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
  "a chunk's size that is no number": `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n`,
  "a chunk's size beyond all bounds": `${OK}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n`,
};

describe('whatever a provider answers, the gateway stays up', () => {
  let stage: RawStage;
  let upstream: RawUpstream;
  before(async () => {
    upstream = await RawUpstream.start();
    stage = await RawStage.start({ env: { OPENAI_BASE_URL: upstream.url } });
  });
  after(async () => {
    await stage.close();
    await upstream.close();
  });

  const request = (): Buffer => rawPost('/proxy/openai/v1/chat/completions', [stage.bearer, JSON_TYPE], CHAT);

  async function assertServes(): Promise<void> {
    upstream.onHead = ({ socket }) => socket.write(rawAnswer('200 OK', '{"fine":true}'));
    assert.equal((await stage.ask(request())).body.toString(), '{"fine":true}');
  }

  for (const [name, answer] of Object.entries(unusable)) {
    it(`${name}: 502`, async () => {
      upstream.onHead = ({ socket }) => socket.end(Buffer.from(answer, 'latin1'));
      const used = await stage.usedToday();
      assert.equal(assertClearError(await stage.ask(request()), name, 502).code, 'upstream_unreachable');
      assert.equal(await stage.usedToday(), used, 'the request is given back');
      await assertServes();
    });
  }

  for (const [name, answer] of Object.entries(cutShort)) {
    it(`${name}: the client's connection is destroyed`, async () => {
      upstream.onHead = ({ socket }) => socket.end(Buffer.from(answer, 'latin1'));
      const connection = await RawConnection.open(stage.gateway.url);
      await connection.send(request());
      const complete = await connection.rest();
      assert.deepEqual(complete, [], 'an answer that was cut short looked complete');
      connection.destroy();
      await assertServes();
    });
  }

  it('a reset before the answer: 502', async () => {
    upstream.onHead = ({ socket }) => socket.resetAndDestroy();
    assert.equal(assertClearError(await stage.ask(request()), 'reset', 502).code, 'upstream_unreachable');
    await assertServes();
  });

  it('informational answers before the real one do not reach the client', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
    upstream.onHead = ({ socket }) => socket.write(hints + rawAnswer('200 OK', '{}'));
    const answer = await stage.ask(request());
    assert.deepEqual([answer.status, answer.informational, answer.body.toString()], [200, [], '{}']);
  });

  it('odd but legal heads pass: an unknown status, bytes beyond ASCII, no reason, no body', async () => {
    upstream.onHead = ({ socket }) => {
      socket.write(Buffer.from(rawAnswer('299 S\xf6 l\xe0 l\xe0', '{}', ['X-Odd: \xe4\xff']), 'latin1'));
    };
    const answer = await stage.ask(request());
    assert.equal(answer.status, 299);
    assert.equal(headerValue(answer, 'x-odd'), '\xe4\xff');
    upstream.onHead = ({ socket }) => socket.write('HTTP/1.1 204\r\n\r\n');
    assert.equal((await stage.ask(request())).status, 204);
    await assertServes();
  });
});
