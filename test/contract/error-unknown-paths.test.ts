import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type JsonAnswer, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';

const UNSUPPORTED = 'Unsupported provider. Supported: openai, anthropic';

describe('what is not there', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(async () => {
    assert.equal(gateway.simulator.requests.length, 0);
    await gateway.close();
  });

  for (const provider of ['gemini', 'OpenAI', 'constructor', '__proto__', 'openai.', '%6fpenai']) {
    it(`/proxy/${provider}/…: 404 unknown_provider, before any key is looked at`, async () => {
      const path = `/proxy/${provider}/v1/chat/completions`;
      const answers = [
        await gateway.request(path, { body: { proxy_key: 'px_x', provider, body: {} } }),
        await gateway.request(path, { headers: { authorization: 'Bearer px_wrong' }, body: {} }),
        await gateway.request(path),
      ];
      for (const { status, body } of answers) {
        assert.equal(status, 404);
        assert.deepEqual(body, { error: UNSUPPORTED, code: 'unknown_provider' });
      }
    });
  }

  const missing = ['/', '/nothing', '/admin', '/Health', '/healthz', '/proxy', '/activate/x', '/metrics'];
  for (const path of missing) {
    it(`${path}: 404 not_found`, async () => {
      const expected = path === '/admin' ? gateway.adminToken : '';
      const headers = expected === '' ? {} : { authorization: `Bearer ${expected}` };
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await gateway.request(path, { method, headers });
        assert.equal(answer.status, 404);
        assert.deepEqual(answer.body, { error: 'This page not found', code: 'not_found' });
      }
    });
  }

  const wrongMethods: [string, string, string][] = [
    ['GET', '/activate', 'POST'],
    ['DELETE', '/deactivate', 'POST'],
    ['PUT', '/check', 'POST'],
    ['POST', '/health', 'GET'],
    ['POST', '/version', 'GET'],
    ['DELETE', '/tiers', 'GET'],
  ];
  for (const [method, path, allow] of wrongMethods) {
    it(`${method} ${path}: 405 method_not_allowed with Allow`, async () => {
      const answer = await gateway.request(path, { method });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.get('allow'), allow);
      const error = `${method} is not supported here; use ${allow}`;
      assert.deepEqual(answer.body, { error, code: 'method_not_allowed' });
    });
  }

  it('in direct mode there is no proxy: 404, whatever the form', async () => {
    const PROTECTED_API_KEY = 'sk-protected-key-of-direct-mode-0123456789';
    rememberSecret(PROTECTED_API_KEY);
    const direct = await startTestGateway({
      counters: 'memory',
      env: { PROXY_MODE: 'false', PROTECTED_API_KEY },
    });
    try {
      const { proxyKey } = device;
      const answers: JsonAnswer[] = [
        await direct.request('/proxy/openai/v1/models', { headers: { authorization: `Bearer ${proxyKey}` } }),
        await direct.request('/proxy/openai/v1/chat/completions', {
          body: { proxy_key: proxyKey, provider: 'openai', body: {} },
        }),
        await direct.request('/proxy/anthropic'),
      ];
      for (const answer of answers) {
        assert.equal(answer.status, 404);
        assert.deepEqual(answer.body, { error: 'This page not found', code: 'not_found' });
      }
      assert.equal(direct.simulator.requests.length, 0);
    } finally {
      await direct.close();
    }
  });
});
