import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { PATIENCE, rawPost } from '../support/raw-http.ts';
import { CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';
import { rawAnswer, RawUpstream, type UpstreamConnection } from '../support/raw-upstream.ts';

const ANOTHERS = rawAnswer('200 OK', '{"whose":"nobody\'s"}');

/** Answers behind which a connection must not be used again, and what is done on it afterwards. */
const last: Record<string, (connection: UpstreamConnection, own: string) => void> = {
  'an answer with another one behind it': ({ socket }, own) => socket.write(own + ANOTHERS),
  'an answer with a byte behind it': ({ socket }, own) => socket.write(`${own}\n`),
  'an answer, and another one before the next request': ({ socket }, own) => {
    socket.write(own, () => setImmediate(() => socket.write(ANOTHERS)));
  },
  'an answer, and the connection is closed without a word': ({ socket }, own) => socket.end(own),
  'an answer, and the connection is reset': ({ socket }, own) => {
    socket.write(own, () => setImmediate(() => socket.resetAndDestroy()));
  },
  'Connection: close, and it stays open': ({ socket }, own) =>
    socket.write(own.replace('\r\n', '\r\nConnection: close\r\n')),
  'Keep-Alive: timeout=1': ({ socket }, own) =>
    socket.write(own.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n')),
  'HTTP/1.0': ({ socket }, own) => socket.write(own.replace('HTTP/1.1', 'HTTP/1.0')),
  '204 with a length': ({ socket }) =>
    socket.write('HTTP/1.1 204 No Content\r\nContent-Length: 20\r\n\r\n{"whose":"nobody\'s"}'),
};

describe('each request gets its own answer, whatever its provider sends beside it', () => {
  let stage: RawStage;
  let upstream: RawUpstream;
  let asked = 0;
  before(async () => {
    upstream = await RawUpstream.start();
    stage = await RawStage.start({ env: { OPENAI_BASE_URL: upstream.url } });
  });
  after(async () => {
    await stage.close();
    await upstream.close();
  });
  beforeEach(() => {
    upstream.onHead = ({ socket }) => socket.write(ownAnswer());
  });

  function ownAnswer(): string {
    asked += 1;
    return rawAnswer('200 OK', `{"whose":"request ${asked}"}`);
  }

  async function assertOwnAnswer(body = CHAT): Promise<void> {
    const answer = await stage.ask(
      rawPost('/proxy/openai/v1/chat/completions', [stage.bearer, JSON_TYPE], body),
    );
    if (answer.status === 204) assert.equal(answer.body.length, 0);
    else assert.deepEqual([answer.status, answer.body.toString()], [200, `{"whose":"request ${asked}"}`]);
  }

  it('one connection serves one request after the other', async () => {
    await assertOwnAnswer();
    const { length } = upstream.connections;
    for (let request = 0; request < 5; request += 1) await assertOwnAnswer();
    assert.equal(upstream.connections.length, length);
  });

  for (const [name, answer] of Object.entries(last)) {
    it(`${name}: the next request has a connection of its own`, async () => {
      upstream.onHead = (connection) => answer(connection, ownAnswer());
      await assertOwnAnswer();
      const used = upstream.connections.at(-1);
      if (used?.socket.closed === false) await once(used.socket, 'close');
      upstream.onHead = ({ socket }) => socket.write(ownAnswer());
      await assertOwnAnswer();
      assert.notEqual(upstream.connections.at(-1), used);
    });
  }

  it('an answer to half of a request: the rest of it is not taken for another one', async () => {
    const long = JSON.stringify({ ...JSON.parse(CHAT), user: 'a'.repeat(8 * 1_048_576) });
    const envelope = `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${long}}`;
    upstream.onHead = ({ socket }) => {
      socket.pause();
      socket.write(ownAnswer());
    };
    const answer = await stage.ask(rawPost('/proxy/openai/v1/chat/completions', [JSON_TYPE], envelope));
    assert.equal(answer.body.toString(), `{"whose":"request ${asked}"}`);
    const half = upstream.connections.at(-1);
    half?.socket.resume();
    await eventually(() => assert.equal(half?.socket.destroyed, true), PATIENCE);
    upstream.onHead = ({ socket }) => socket.write(ownAnswer());
    await assertOwnAnswer();
    assert.notEqual(upstream.connections.at(-1), half);
  });

  it('a hundred at once and after each other: each its own', async () => {
    upstream.onHead = (connection) => {
      const said = /whose-(\d+)/g;
      const own = [...connection.received.matchAll(said)].at(-1)?.[1] ?? '';
      setImmediate(() => connection.socket.write(rawAnswer('200 OK', `{"whose":"${own}"}`)));
    };
    const askAs = async (own: number): Promise<void> => {
      const headers = [stage.bearer, JSON_TYPE, `X-Own: whose-${own}`];
      const answer = await stage.ask(rawPost('/proxy/openai/v1/chat/completions', headers, CHAT));
      assert.equal(answer.body.toString(), `{"whose":"${own}"}`);
    };
    for (let round = 0; round < 5; round += 1)
      await Promise.all(Array.from({ length: 20 }, (_, index) => askAs(round * 20 + index)));
  });
});
