import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawPost, rawRequest } from '../support/raw-http.ts';
import { CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';
import { RawUpstream, rawAnswer } from '../support/raw-upstream.ts';
import { OPENAI_KEY } from '../support/simulator/simulator.ts';

const PATH = '/proxy/openai/v1/chat/completions';
const CHUNKS = `${CHAT.length.toString(16)};ext="a\tb"\r\n${CHAT}\r\n0\r\n\r\n`;

// A provider's own server may be more lenient than ours: what leaves the gateway must have one reading only.
describe('what leaves the gateway has exactly one framing, whatever came in', () => {
  let stage: RawStage;
  let upstream: RawUpstream;
  before(async () => {
    upstream = await RawUpstream.start();
    // Each request on a connection of its own, so that its bytes are all that there are.
    upstream.onHead = ({ socket }) => socket.end(rawAnswer('200 OK', '{}', ['Connection: close']));
    stage = await RawStage.start({ env: { OPENAI_BASE_URL: upstream.url } });
  });
  after(async () => {
    await stage.close();
    await upstream.close();
  });

  const cases: Record<string, { request: () => Buffer; framing: RegExp; body: RegExp }> = {
    'a length': {
      request: () => rawPost(PATH, [stage.bearer, JSON_TYPE], CHAT),
      framing: /^content-length: \d+$/i,
      body: /^\{.*\}$/,
    },
    'a length with leading zeros': {
      request: () => rawRequest(`POST ${PATH}`, [stage.bearer, JSON_TYPE, 'Content-Length: 00065'], CHAT),
      framing: /^content-length: 0*65$/i,
      body: /^\{.*\}$/,
    },
    'chunks with extensions': {
      request: () =>
        rawRequest(`POST ${PATH}`, [stage.bearer, JSON_TYPE, 'Transfer-Encoding: chunked'], CHUNKS),
      framing: /^transfer-encoding: chunked$/i,
      body: /^41\r\n\{.*\}\r\n0\r\n\r\n$/,
    },
    'chunks in capitals': {
      request: () =>
        rawRequest(`POST ${PATH}`, [stage.bearer, JSON_TYPE, 'TRANSFER-ENCODING: CHUNKED'], CHUNKS),
      framing: /^transfer-encoding: chunked$/i,
      body: /^41\r\n\{.*\}\r\n0\r\n\r\n$/,
    },
    'a chunked envelope': {
      request: () => {
        const { proxyKey } = stage.device;
        const envelope = `{"proxy_key":"${proxyKey}","provider":"openai","body":${CHAT}}`;
        const chunks = `${envelope.length.toString(16)}\r\n${envelope}\r\n0\r\n\r\n`;
        return rawRequest(`POST ${PATH}`, [JSON_TYPE, 'Transfer-Encoding: chunked'], chunks);
      },
      framing: /^content-length: 65$/i,
      body: /^\{"model".*\}$/,
    },
    'no body': {
      request: () => rawRequest('GET /proxy/openai/v1/models', [stage.bearer]),
      framing: /^none$/,
      body: /^$/,
    },
    'no body on POST': {
      request: () => rawRequest(`POST ${PATH}`, [stage.bearer, 'Content-Length: 0']),
      framing: /^content-length: 0$/i,
      body: /^$/,
    },
  };

  for (const [name, { request, framing, body }] of Object.entries(cases)) {
    it(name, async () => {
      const before = upstream.connections.length;
      assert.equal((await stage.ask(request())).status, 200);
      const [connection, ...others] = upstream.connections.slice(before);
      assert.ok(connection !== undefined && others.length === 0);
      const { received } = connection;
      const headEnd = received.indexOf('\r\n\r\n');
      const [requestLine = '', ...fields] = received.slice(0, headEnd).split('\r\n');
      assert.match(requestLine, /^(?:GET|POST) \/v1\/[a-z/]+ HTTP\/1\.1$/);
      for (const field of fields) assert.match(field, /^[a-z0-9-]+: [\x20-\x7e]*$/i);
      const framings = fields.filter((field) => /^(?:content-length|transfer-encoding):/i.test(field));
      assert.equal(framings.length <= 1, true, framings.join(' and '));
      assert.match(framings[0] ?? 'none', framing);
      assert.match(received.slice(headEnd + 4), body);
      assert.equal(received.split(OPENAI_KEY).length - 1, 1, 'the real key stands there exactly once');
      assert.ok(!received.includes('px_'));
    });
  }
});
