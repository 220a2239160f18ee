import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawRequest } from '../support/raw-http.ts';
import { assertHoldsNoProxyKey, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

// http-proxy 1.18.1: a GET with a Trailer header throws out of the request handler, and the process is gone (#1647).
describe('trailers neither crash the gateway nor reach the provider', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  it('GET that announces a trailer is answered as if it had not', async () => {
    const answer = await stage.ask(rawRequest('GET /proxy/openai/v1/models', [stage.bearer, 'Trailer: x']));
    assert.equal(answer.status, 200);
    const [request, ...others] = await stage.newUpstream();
    assert.equal(others.length, 0);
    assert.equal(request?.headers.trailer, undefined);
    await stage.assertAlive();
  });

  it('POST with trailers behind its chunks passes without them, whatever they hold', async () => {
    const head = rawRequest('POST /proxy/openai/v1/chat/completions', [
      stage.bearer,
      JSON_TYPE,
      'Transfer-Encoding: chunked',
      'Trailer: X-Checksum, X-Api-Key',
    ]);
    const chunk = `${CHAT.length.toString(16)}\r\n${CHAT}\r\n`;
    const end = `0\r\nX-Checksum: 1\r\nX-Api-Key: ${stage.device.proxyKey}\r\n\r\n`;
    const answer = await stage.ask(head, chunk, end);
    assert.equal(answer.status, 200);
    const [request, ...others] = await stage.newUpstream();
    assert.ok(request !== undefined && others.length === 0);
    assert.equal(request.body.toString(), CHAT);
    assert.deepEqual({ ...request.trailers }, {});
    assert.equal(request.headers.trailer, undefined);
    assertHoldsNoProxyKey(request);
    await stage.assertAlive();
  });

  it('trailers of the provider do not reach the client', async () => {
    const simulate = 'x-simulate: trailers';
    const answer = await stage.ask(rawRequest('GET /proxy/openai/v1/models', [stage.bearer, simulate]));
    assert.equal(answer.status, 200);
    assert.ok(!answer.headers.some(([name]) => /trailer/i.test(name)));
    await stage.newUpstream();
  });
});
