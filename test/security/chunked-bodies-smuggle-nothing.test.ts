import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RawConnection, rawRequest } from '../support/raw-http.ts';
import { assertClearError, RawStage } from '../support/raw-stage.ts';

const CHUNKED = 'Transfer-Encoding: chunked';
const SMUGGLED = 'GET /v1/files?smuggled HTTP/1.1\r\nHost: provider.test\r\n\r\n';

// CVE-2026-29057: http-proxy forwarded the head of such requests without their framing, so that the provider took the
// body for the next request on a kept-alive connection.
describe('a chunked body on a method that has none is refused', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  const bodies = {
    'a body that looks like a request': `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    'an empty body': '0\r\n\r\n',
  };
  for (const method of ['DELETE', 'OPTIONS', 'GET', 'HEAD']) {
    for (const path of ['/proxy/openai/v1/models', '/proxy/anthropic/v1/messages']) {
      for (const [name, body] of Object.entries(bodies)) {
        it(`${method} ${path} with ${name}`, async () => {
          const connection = await RawConnection.open(stage.gateway.url);
          const refused = rawRequest(`${method} ${path}`, [stage.bearer, CHUNKED], body);
          const next = rawRequest('GET /proxy/openai/v1/models', [stage.bearer, 'Connection: close']);
          await connection.send(refused, next);
          const first = await connection.next({ method });
          assert.ok(first !== undefined);
          if (method === 'HEAD') assert.equal(first.status, 411);
          else assert.equal(assertClearError(first, method, 411).message.includes('Content-Length'), true);
          // The connection is still in step: the next request on it gets its own answer, and no third one comes.
          assert.deepEqual((await connection.rest()).map(({ status }) => status), [200]); // prettier-ignore
          const reached = (await stage.newUpstream()).map((request) => `${request.method} ${request.url}`);
          assert.deepEqual(reached, ['GET /v1/models']);
        });
      }
    }
  }

  // Without its length, which Connection may not take away, such a body would be sent with no framing at all.
  for (const connectionField of ['close', 'close, content-length']) {
    it(`a body with a length on GET passes as a body (Connection: ${connectionField})`, async () => {
      const connection = await RawConnection.open(stage.gateway.url);
      const length = `Content-Length: ${SMUGGLED.length}`;
      const headers = [stage.bearer, `Connection: ${connectionField}`, length];
      await connection.send(rawRequest('GET /proxy/openai/v1/models', headers, SMUGGLED));
      assert.deepEqual((await connection.rest()).map(({ status }) => status), [200]); // prettier-ignore
      const requests = await stage.newUpstream();
      assert.deepEqual(requests.map(({ url, body }) => [url, body.toString()]), [['/v1/models', SMUGGLED]]); // prettier-ignore
    });
  }
});
