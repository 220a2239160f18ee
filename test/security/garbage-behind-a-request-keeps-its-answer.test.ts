import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RawConnection, rawPost, rawRequest } from '../support/raw-http.ts';
import { assertClearError, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const GARBAGE = '\x00\x16\x03 this is no HTTP\r\n\r\n';
const STREAM = CHAT.replace('{', '{"stream":true,');
const PATH = '/proxy/openai/v1/chat/completions';

// An error answer that is written as soon as the parser stumbles lands in the middle of the answer before it, and may
// complete it with the wrong bytes.
describe('bytes that are no HTTP do not damage the answer to the request before them', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  for (const close of [[], ['Connection: close']]) {
    it(`a stream under way ends as it should ${close.join()}`, async () => {
      const connection = await RawConnection.open(stage.gateway.url);
      const headers = [stage.bearer, JSON_TYPE, ...close, 'x-simulate: chunk-delay=10'];
      await connection.send(rawPost(PATH, headers, STREAM));
      await connection.receives(({ length }) => length > 0);
      await connection.send(GARBAGE);
      const [answer, refusal, ...others] = await connection.rest();
      assert.equal(answer?.status, 200);
      assert.match(answer.body.toString(), /data: \[DONE\]\n\n$/);
      assert.equal(others.length, 0);
      if (refusal !== undefined) assertClearError(refusal, 'garbage', 400);
      const [request, ...more] = await stage.newUpstream();
      assert.deepEqual([request?.responseFinished, more.length], [true, 0]);
    });
  }

  it('an answer with a length, and one that has not begun, come whole and first', async () => {
    const connection = await RawConnection.open(stage.gateway.url);
    const slow = [stage.bearer, JSON_TYPE, 'x-simulate: delay=100'];
    await connection.send(Buffer.concat([rawPost(PATH, slow, CHAT), Buffer.from(GARBAGE, 'latin1')]));
    const [answer, refusal, ...others] = await connection.rest();
    assert.equal(answer?.status, 200);
    assert.match(answer.body.toString(), /"object":"chat\.completion"/);
    assert.ok(refusal !== undefined && others.length === 0);
    assertClearError(refusal, 'garbage', 400);
    assert.equal((await stage.newUpstream()).length, 1);
  });

  it('an answer to a body that goes wrong is cut off, where it had begun', async () => {
    const connection = await RawConnection.open(stage.gateway.url);
    const headers = [
      stage.bearer,
      JSON_TYPE,
      'Transfer-Encoding: chunked',
      'x-simulate: early-response, hang=mid-stream',
    ];
    await connection.send(rawRequest(`POST ${PATH}`, headers, '5\r\n{"a":\r\n'));
    await connection.receives((received) => received.includes('\r\n\r\n'));
    await connection.send('not a chunk\r\n');
    assert.deepEqual(await connection.rest(), [], 'what was cut off looked complete');
    connection.destroy();
    const [request] = await stage.newUpstream();
    assert.equal(request?.responseFinished, false);
  });

  it('a client that goes on and on gets one answer, and is cut off', async () => {
    const connection = await RawConnection.open(stage.gateway.url);
    const sending = (async () => {
      for (let count = 0; count < 500; count += 1) await connection.send(GARBAGE.repeat(100));
    })();
    const answer = await connection.next();
    assert.ok(answer !== undefined);
    assertClearError(answer, 'garbage', 400);
    assert.deepEqual(await connection.rest(), []);
    connection.destroy();
    await sending;
    await stage.assertAlive();
  });

  it('a head that is too large is told so, even if more of it comes before the client listens', async () => {
    const connection = await RawConnection.open(stage.gateway.url);
    connection.pause();
    await connection.send('GET / HTTP/1.1\r\nHost: a\r\n');
    for (let count = 0; count < 50; count += 1) {
      await connection.send(`X-${count}: ${'a'.repeat(2_000)}\r\n`);
      await new Promise((resolve) => setImmediate(resolve)); // the server, in this process, reads it
    }
    connection.resume();
    const answer = await connection.next();
    connection.destroy();
    assert.ok(answer !== undefined, 'the connection was reset before the answer could be read');
    assertClearError(answer, 'head', 431);
  });
});
