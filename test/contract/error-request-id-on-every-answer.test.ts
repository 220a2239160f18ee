import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { chat, CHAT_PATH } from '../support/streams.ts';

const ORIGIN = 'https://app.example.com';

describe('X-Licensify-Request-Id', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({
      counters: 'memory',
      env: { CORS_ORIGINS: ORIGIN, LOG_LEVEL: 'info' },
    });
    device = await gateway.device({ daily_limit: 3 });
  });
  after(() => gateway.close());

  const requests: { name: string; path: string; status: number; init?: () => RequestInit }[] = [
    { name: 'health', path: '/health', status: 200 },
    { name: 'a wrong path', path: '/nothing', status: 404 },
    { name: 'a wrong method', path: '/activate', status: 405 },
    { name: 'an unknown license', path: '/check', status: 400, init: () => post({}, {}) },
    { name: 'the admin API without its token', path: '/admin/v1/licenses', status: 401 },
    { name: 'an unknown provider', path: '/proxy/none/x', status: 404 },
    { name: 'the proxy itself', path: '/proxy', status: 404 },
    { name: 'what only begins like the proxy', path: '/proxying/openai', status: 404 },
    { name: 'no key', path: CHAT_PATH, status: 401, init: () => ({ method: 'POST' }) },
    { name: 'a preflight', path: CHAT_PATH, status: 204, init: preflight },
    { name: 'a bad body', path: CHAT_PATH, status: 400, init: () => post({}, []) },
    { name: 'an answer', path: CHAT_PATH, status: 200, init: () => ask('') },
    { name: 'a stream', path: CHAT_PATH, status: 200, init: () => ask('chunks=2', true) },
    { name: 'a provider’s error', path: CHAT_PATH, status: 500, init: () => ask('status=500') },
    { name: 'a provider’s refusal', path: CHAT_PATH, status: 502, init: () => ask('status=401') },
    { name: 'a provider’s death', path: CHAT_PATH, status: 502, init: () => ask('die=before-headers') },
    { name: 'the last request of the day', path: CHAT_PATH, status: 200, init: () => ask('') },
    { name: 'one too many', path: CHAT_PATH, status: 429, init: () => ask('') },
  ];
  function post(headers: Record<string, string>, body: unknown): RequestInit {
    const all = { 'content-type': 'application/json', ...headers };
    return { method: 'POST', headers: all, body: JSON.stringify(body) };
  }
  function ask(simulate: string, stream = false): RequestInit {
    return { method: 'POST', ...chat(device, { simulate, stream }) };
  }
  function preflight(): RequestInit {
    return { method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'POST' } };
  }

  const ids = new Set<string>();
  for (const { name, path, status, init } of requests) {
    it(`is on the answer to ${name}, and in its one log line`, async () => {
      const answer = await fetch(gateway.url + path, init?.());
      await answer.text();
      assert.equal(answer.status, status);
      const id = answer.headers.get('x-licensify-request-id') ?? '';
      assert.match(id, /^req_[0-9a-f-]{36}$/);
      assert.equal(ids.has(id), false, 'the id is another request’s');
      ids.add(id);
      const lines = gateway.logLines().filter(({ requestId }) => requestId === id);
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.status, status);
    });
  }

  it('does not replace the provider’s own id, nor is it replaced by the provider or the client', async () => {
    const { licenseId } = device;
    await gateway.admin(`/licenses/${licenseId}`, { method: 'PATCH', body: { daily_limit: 100 } });
    const { headers, body } = chat(device, { simulate: 'header:X-Licensify-Request-Id=req_of-the-provider' });
    const answer = await fetch(gateway.url + CHAT_PATH, {
      method: 'POST',
      headers: {
        ...headers,
        'x-licensify-request-id': 'req_of-the-client',
        'x-request-id': 'chosen-by-client',
      },
      body,
    });
    await answer.text();
    assert.match(answer.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/);
    assert.match(answer.headers.get('x-licensify-request-id') ?? '', /^req_[0-9a-f-]{36}$/);
    const anthropic = await fetch(`${gateway.url}/proxy/anthropic/v1/models`, {
      headers: { 'x-api-key': device.proxyKey },
    });
    await anthropic.text();
    assert.match(anthropic.headers.get('request-id') ?? '', /^req_[0-9a-f]{24}$/);
  });
});

it('without a proxy it is on the answer that there is none', async (t) => {
  const key = 'protected-key-without-a-proxy';
  rememberSecret(key);
  const gateway = await startTestGateway({
    counters: 'memory',
    env: { PROXY_MODE: 'false', PROTECTED_API_KEY: key },
  });
  t.after(() => gateway.close());
  const answer = await fetch(gateway.url + CHAT_PATH, { method: 'POST' });
  assert.equal(answer.status, 404);
  assert.match(answer.headers.get('x-licensify-request-id') ?? '', /^req_/);
});
