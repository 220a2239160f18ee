import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawPost, rawRequest } from '../support/raw-http.ts';
import { assertHoldsNoProxyKey, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const PATH = '/proxy/openai/v1/chat/completions';
const messages = '"messages":[{"role":"user","content":"Hello"}]';

/** Valid JSON that does not survive being parsed and written again. */
const bodies: Record<string, string> = {
  'a lone surrogate': `{"model":"gpt-4o",${messages},"a":"\\ud800","b":"\\udc00\\ud800"}`,
  'numbers beyond what doubles hold': `{"model":"gpt-4o",${messages},"seed":9007199254740993,"t":1.0,"u":1e400,"v":-0}`,
  'the same name twice': `{"model":"gpt-3.5-turbo","model":"gpt-4o",${messages},"a":1,"a":2}`,
  'names like those of the envelope': `{"model":"gpt-4o",${messages},"body":{"body":[]},"proxy_key":"none","provider":"anthropic"}`,
  'names that JavaScript knows': `{"model":"gpt-4o",${messages},"__proto__":{"a":1},"constructor":null}`,
  'escapes that need not be': `{"mod\\u0065l":"gpt-4o",${messages},"a":"\\/\\u0041\\u00e9"}`,
  'spacing of every kind': `{ \r\n\t"model" :\t"gpt-4o" ,\n${messages}\r\n}`,
  'characters of every length': `{"model":"gpt-4o",${messages},"a":"\u007f\u0080ä漢😀\u2028\uffff"}`,
  'brackets and quotes in strings': `{"model":"gpt-4o",${messages},"a":"}]\\"{[,:\\\\"}`,
  'nesting as deep as it may be': `{"model":"gpt-4o",${messages},"a":${'['.repeat(900)}${']'.repeat(900)}}`,
};

describe('what is valid in an envelope, however odd, reaches the provider byte for byte', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  async function assertPasses(envelope: string, body: string, headers = [JSON_TYPE]): Promise<void> {
    const bytes = Buffer.from(envelope);
    for (const request of [
      [rawPost(PATH, headers, bytes)],
      [rawRequest(`POST ${PATH}`, [...headers, 'Transfer-Encoding: chunked']), ...chunked(bytes)],
    ]) {
      assert.equal((await stage.ask(...request)).status, 200);
      const [received, ...others] = await stage.newUpstream();
      assert.ok(received !== undefined && others.length === 0);
      assert.equal(received.body.toString(), body);
      assert.equal(received.headers['content-type'], 'application/json');
      assert.equal(received.headers['content-length'], String(Buffer.byteLength(body)));
      assertHoldsNoProxyKey(received);
    }
  }

  /** Cut at every seventh byte: inside characters and escapes too. */
  function chunked(bytes: Buffer): Buffer[] {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 7) {
      const piece = bytes.subarray(at, at + 7);
      chunks.push(Buffer.from(`${piece.length}\r\n`), piece, Buffer.from('\r\n'));
    }
    return [Buffer.concat(chunks), Buffer.from('0\r\n\r\n')];
  }

  for (const [name, body] of Object.entries(bodies)) {
    it(name, async () => {
      const key = `"proxy_key":"${stage.device.proxyKey}"`;
      await assertPasses(`{${key},"provider":"openai","body":${body}}`, body);
      await assertPasses(`\n{ "body" :\t${body}\r\n, "provider":"openai",${key} }\n`, body);
    });
  }

  it('fields in any order and spelling, with others between them', async () => {
    const body = bodies['a lone surrogate'] ?? '';
    const { proxyKey } = stage.device;
    const escapedKey = `\\u0070${proxyKey.slice(1)}`;
    const envelopes = [
      `{"x":[{"body":1}],"body":${body},"__proto__":{"proxy_key":"none"},"provider":"openai","proxy_key":"${proxyKey}"}`,
      `{"pro\\u0078y_key":"${proxyKey}","\\u0062ody":${body},"provider":"\\u006fpenai"}`,
      `{"proxy_key":"${escapedKey}","provider":"openai","hardware_id":" hw-test ","body":${body}}`,
      `{"proxy_key":"${proxyKey}","provider":"openai","hardware_id":null,"body":${body},"timestamp":1}`,
      `{"proxy_key":"${proxyKey}","provider":"openai","hardware_id":"hw\\u002dtest","body":${body}}`,
    ];
    for (const envelope of envelopes) await assertPasses(envelope, body);
  });

  it('of every content type that says JSON', async () => {
    const body = bodies['a lone surrogate'] ?? '';
    const envelope = `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${body}}`;
    for (const type of [
      'APPLICATION/JSON',
      'application/json;charset=utf-8',
      'application/vnd.api+json ; a=b',
    ]) {
      await assertPasses(envelope, body, [`Content-Type: ${type}`]);
    }
  });
});
