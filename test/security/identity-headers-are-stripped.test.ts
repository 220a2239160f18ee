import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawPost } from '../support/raw-http.ts';
import { assertHoldsNoProxyKey, CHAT, JSON_TYPE, MESSAGE, RawStage } from '../support/raw-stage.ts';
import { ANTHROPIC_KEY, OPENAI_KEY, type RecordedRequest } from '../support/simulator/simulator.ts';

/** Contract §4.2: none of these goes to a provider. */
const stripped = [
  'Connection: keep-alive, X-Named',
  'X-Named: by Connection',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'Proxy-Authenticate: Basic',
  'Proxy-Authorization: Basic dXNlcjpwdw==',
  'TE: trailers',
  'Trailer: X-End',
  'Upgrade: websocket',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
  'Expect: 100-continue',
  'Cookie: session=1',
  'Forwarded: for=192.0.2.1;host=evil.test',
  'X-Forwarded-For: 192.0.2.1',
  'X-Forwarded-Host: evil.test',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Port: 1',
  'X-Forwarded-Anything: at all',
  'X-Real-IP: 192.0.2.1',
  'Via: 1.1 client-proxy',
  'Accept-Encoding: gzip, br',
  'OpenAI-Organization: org-of-the-client',
  'OpenAI-Project: proj_of_the_client',
  'Api-Key: another',
  'X-Goog-Api-Key: another',
];

const kept = [
  ['Accept', 'application/json'],
  ['User-Agent', 'client/1.0'],
  ['OpenAI-Beta', 'assistants=v2'],
  ['Anthropic-Beta', 'tools-2024-04-04'],
  ['Idempotency-Key', 'abc'],
  ['X-Stainless-Retry-Count', '1'],
  ['X-Custom', '\xe4\xf6\xfc and a\ttab'],
] as const;

/** The header lines that a provider received, in lower case, as `name: value`. */
function linesOf({ rawHeaders }: RecordedRequest): string[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[index + 1] ?? ''}`] : [],
  );
}

describe('the provider gets what the client meant for it, under the real key', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  async function received(target: string, body: string, credential: string): Promise<RecordedRequest> {
    const headers = [credential, JSON_TYPE, ...stripped, ...kept.map(([name, value]) => `${name}: ${value}`)];
    const answer = await stage.ask(rawPost(target, headers, body));
    assert.equal(answer.status, 200);
    const [request, ...others] = await stage.newUpstream();
    assert.ok(request !== undefined && others.length === 0);
    assertHoldsNoProxyKey(request);
    return request;
  }

  /** All lines, sorted, so that nothing more and nothing less gets through than is listed. */
  function expected(request: RecordedRequest, key: string, ...more: string[]): string[] {
    const own = [
      key,
      'accept-encoding: identity',
      'connection: keep-alive',
      `content-length: ${request.body.length}`,
      'content-type: application/json',
      `host: ${new URL(stage.gateway.simulator.url).host}`,
    ];
    return [...own, ...more, ...kept.map(([name, value]) => `${name.toLowerCase()}: ${value}`)].toSorted();
  }

  it('OpenAI', async () => {
    const request = await received('/proxy/openai/v1/chat/completions', CHAT, stage.bearer);
    assert.deepEqual(linesOf(request).toSorted(), expected(request, `authorization: Bearer ${OPENAI_KEY}`));
  });

  it('Anthropic, with the version that it requires', async () => {
    const credential = `X-Api-Key: ${stage.device.proxyKey}`;
    const request = await received('/proxy/anthropic/v1/messages', MESSAGE, credential);
    const lines = expected(request, `x-api-key: ${ANTHROPIC_KEY}`, 'anthropic-version: 2023-06-01');
    assert.deepEqual(linesOf(request).toSorted(), lines);
  });

  it("Anthropic, with the client's own version", async () => {
    const headers = [`X-Api-Key: ${stage.device.proxyKey}`, JSON_TYPE, 'Anthropic-Version: 2023-01-01'];
    assert.equal((await stage.ask(rawPost('/proxy/anthropic/v1/messages', headers, MESSAGE))).status, 200);
    const [request] = await stage.newUpstream();
    assert.equal(request?.headers['anthropic-version'], '2023-01-01');
  });

  it('the same for an envelope', async () => {
    const envelope = `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${CHAT}}`;
    const request = await received('/proxy/openai/v1/chat/completions', envelope, 'X-Api-Key: foreign');
    assert.equal(request.body.toString(), CHAT);
    assert.deepEqual(linesOf(request).toSorted(), expected(request, `authorization: Bearer ${OPENAI_KEY}`));
  });

  it('names that JavaScript knows are names like any other', async () => {
    const odd = ['__proto__: a', 'constructor: b', 'hasOwnProperty: c', 'toString: d', 'prototype: e'];
    const headers = [stage.bearer, JSON_TYPE, ...odd];
    assert.equal((await stage.ask(rawPost('/proxy/openai', headers, CHAT))).status, 200);
    const [request] = await stage.newUpstream();
    assert.ok(request !== undefined);
    assert.equal(linesOf(request).filter((line) => line.startsWith('authorization:')).length, 1);
    assert.ok(linesOf(request).includes('constructor: b'));
  });
});
