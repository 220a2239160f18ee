import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestDevice } from '../support/gateway.ts';
import { rawPost, rawRequest } from '../support/raw-http.ts';
import { assertHoldsNoProxyKey, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

describe('a proxy key in a header or in the query does not go to the provider', () => {
  let stage: RawStage;
  let other: TestDevice;
  before(async () => {
    stage = await RawStage.start();
    other = await stage.gateway.device({}, 'hw-other');
  });
  after(() => stage.close());

  async function reaches(bytes: Buffer): Promise<{ url: string; names: string[] }> {
    const answer = await stage.ask(bytes);
    assert.equal(answer.status, 200);
    const [request, ...others] = await stage.newUpstream();
    assert.ok(request !== undefined && others.length === 0);
    assertHoldsNoProxyKey(request);
    return { url: request.url, names: Object.keys(request.headers) };
  }

  const keys = (): Record<string, string> => ({
    'the own key': stage.device.proxyKey,
    "another device's key": other.proxyKey,
  });

  it('as a value, whole or in part, of any header', async () => {
    for (const key of Object.values(keys())) {
      const headers = [
        `X-Key: ${key}`,
        `X-Text: my key is "${key}", is it not?`,
        'X-Twice: a',
        `X-Twice: ${key}`,
        `Accept: application/json;key=${key}`,
        `User-Agent: client/1.0 (${key})`,
        `Referer: http://client.test/?key=${key}`,
        'X-Kept: px and px- and _px',
      ];
      const request = rawPost(
        '/proxy/openai/v1/chat/completions',
        [stage.bearer, JSON_TYPE, ...headers],
        CHAT,
      );
      const { names } = await reaches(request);
      for (const name of ['x-key', 'x-text', 'x-twice', 'accept', 'user-agent', 'referer']) {
        assert.ok(!names.includes(name), name);
      }
      assert.ok(names.includes('x-kept'), 'what holds no key stays');
    }
  });

  it("as a header's name", async () => {
    for (const key of Object.values(keys())) {
      const { names } = await reaches(
        rawRequest('GET /proxy/openai/v1/models', [stage.bearer, `${key}: a`, `X-${key}-Y: b`, 'X-Kept: c']),
      );
      assert.ok(names.includes('x-kept'));
    }
  });

  it('in the query, plainly or percent-encoded, once or several times', async () => {
    const percent = (text: string, from = 0): string =>
      Array.from(text, (char, at) => (at < from ? char : `%${char.charCodeAt(0).toString(16)}`)).join('');
    for (const key of Object.values(keys())) {
      for (const written of [
        key,
        percent(key),
        percent(key, 10),
        key.replace('_', '%5f'),
        key.replace('_', '%5F'),
        key.replace('p', '%70'),
        percent(percent(key)),
        key.replace('_', '%255f'),
        key.replace('_', '%25255f'),
      ]) {
        const query = `a=1&key=${written}&b=%20&${written}=c&x=y${written}z&d`;
        const { url } = await reaches(rawRequest(`GET /proxy/openai/v1/models?${query}`, [stage.bearer]));
        assert.equal(url, '/v1/models?a=1&b=%20&d');
      }
      const only = rawRequest(`GET /proxy/openai/v1/models?key=${key}`, [stage.bearer]);
      assert.equal((await reaches(only)).url, '/v1/models');
    }
  });

  it('what only looks a little like a key passes', async () => {
    const kept = `/v1/models?a=px_short&b=px_${'a'.repeat(40)}&c=px`;
    const request = rawRequest(`GET /proxy/openai${kept}`, [stage.bearer]);
    assert.equal((await stage.ask(request)).status, 200);
    assert.deepEqual((await stage.newUpstream()).map(({ url }) => url), [kept]); // prettier-ignore
  });

  it('a query that is percent-encoded ever deeper costs no time', async () => {
    const deep = `%${'25'.repeat(6_000)}`;
    const began = performance.now();
    const { url } = await reaches(rawRequest(`GET /proxy/openai/v1/models?${deep}`, [stage.bearer]));
    assert.equal(url.length, '/v1/models?'.length + deep.length);
    assert.ok(performance.now() - began < 2_000);
  });
});
