import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawPost, RawConnection, rawRequest } from '../support/raw-http.ts';
import { assertHoldsNoProxyKey, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';
import { OPENAI_KEY } from '../support/simulator/simulator.ts';

const PATH = '/proxy/openai/v1/chat/completions';

// http-proxy 1.18.1 skips its `proxyReq` event for such requests: a key that is swapped there is not (#1219).
describe('Expect keeps the proxy key from the provider', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  for (const expectation of [
    '100-continue',
    '100-Continue',
    '100-continue, 100-continue',
    'the-unexpected',
    '',
  ]) {
    it(`"Expect: ${expectation}"`, async () => {
      const answer = await stage.ask(
        rawPost(PATH, [stage.bearer, JSON_TYPE, `Expect: ${expectation}`], CHAT),
      );
      assert.equal(answer.status, 200);
      const [request, ...others] = await stage.newUpstream();
      assert.ok(request !== undefined && others.length === 0);
      assert.equal(request.headers.expect, undefined);
      assert.equal(request.headers.authorization, `Bearer ${OPENAI_KEY}`);
      assertHoldsNoProxyKey(request);
    });
  }

  it('a client that waits for "100 Continue" gets it, and then its answer', async () => {
    const connection = await RawConnection.open(stage.gateway.url);
    const length = `Content-Length: ${CHAT.length}`;
    await connection.send(
      rawRequest(`POST ${PATH}`, [stage.bearer, JSON_TYPE, 'Expect: 100-continue', length]),
    );
    await connection.receives((received) => received.toString().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    await connection.send(CHAT);
    const answer = await connection.next();
    connection.destroy();
    assert.equal(answer?.status, 200);
    assert.equal((await stage.newUpstream()).length, 1);
  });
});
