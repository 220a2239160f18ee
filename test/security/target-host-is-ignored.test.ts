import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawRequest } from '../support/raw-http.ts';
import { absoluteTargets, oddQueries } from '../support/raw-paths.ts';
import { RawStage } from '../support/raw-stage.ts';
import { FORBIDDEN_MARKER } from '../support/simulator/simulator.ts';

describe('where a request goes, the settings alone decide', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  async function assertReaches(target: string, url: string, ...headers: string[]): Promise<void> {
    const answer = await stage.ask(rawRequest(`GET ${target}`, [stage.bearer, ...headers]));
    assert.equal(answer.status, 200, target);
    assert.ok(!answer.body.includes(FORBIDDEN_MARKER), target);
    const [request, ...others] = await stage.newUpstream();
    assert.ok(request !== undefined && others.length === 0, target);
    assert.equal(request.url, url);
    assert.equal(request.headers['x-injected'], undefined);
    // The provider is told its own name, and not the client's idea of it.
    assert.equal(request.headers.host, new URL(stage.gateway.simulator.url).host);
  }

  for (const target of absoluteTargets) {
    it(`absolute form: ${target}`, () => assertReaches(target, '/v1/models'));
  }

  for (const query of oddQueries) {
    it(`query: ?${query.slice(0, 60)}`, async () => {
      await assertReaches(`/proxy/openai/v1/models?${query}`, `/v1/models?${query}`);
    });
  }

  for (const host of ['evil.test', 'api.openai.com', '127.0.0.1:1', '', 'a@b', '[::1', 'x'.repeat(5_000)]) {
    it(`Host: ${host.slice(0, 40)}`, async () => {
      const request = `GET /proxy/openai/v1/models HTTP/1.1\r\nHost: ${host}\r\n${stage.bearer}\r\n\r\n`;
      const answer = await stage.ask(request);
      const received = await stage.newUpstream();
      if (answer.status === 400) {
        assert.equal(received.length, 0);
        return;
      }
      assert.equal(answer.status, 200);
      assert.deepEqual(received.map(({ headers }) => headers.host), [new URL(stage.gateway.simulator.url).host]); // prettier-ignore
    });
  }

  it('headers that proxies read a host or a path from', async () => {
    const headers = [
      'X-Forwarded-Host: evil.test',
      'X-Host: evil.test',
      'X-Original-URL: /v1/files',
      'X-Rewrite-URL: /v1/files',
      'Forwarded: host=evil.test',
    ];
    await assertReaches('/proxy/openai/v1/models', '/v1/models', ...headers);
  });

  it('a base URL with a path keeps it, whatever the client asks for', async () => {
    const { simulator } = stage.gateway;
    const other = await RawStage.start({ env: { OPENAI_BASE_URL: `${simulator.url}/tenant-a/` } });
    try {
      await other.ask(rawRequest('GET http://evil.test/proxy/openai/v1/models', [other.bearer]));
      assert.deepEqual((await stage.newUpstream()).map(({ url }) => url), ['/tenant-a/v1/models']); // prettier-ignore
      await other.ask(rawRequest('GET /proxy/openai/../v1/models', [other.bearer]));
      await stage.assertNothingUpstream('out of the base path');
    } finally {
      await other.close();
    }
  });
});
