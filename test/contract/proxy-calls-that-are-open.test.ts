import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';

/** Contract §4.1, as it stands there. */
const open: Record<'openai' | 'anthropic', { POST: string[]; GET: string[] }> = {
  openai: {
    POST: [
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/responses',
      '/v1/embeddings',
      '/v1/moderations',
      '/v1/images/generations',
      '/v1/images/edits',
      '/v1/images/variations',
      '/v1/audio/speech',
      '/v1/audio/transcriptions',
      '/v1/audio/translations',
    ],
    GET: ['/v1/models', '/v1/models/gpt-4o-mini', '/v1/models/ft:gpt-4o:acme::7p4l'],
  },
  anthropic: {
    POST: ['/v1/messages', '/v1/messages/count_tokens', '/v1/complete'],
    GET: ['/v1/models', '/v1/models/claude-3-haiku-20240307'],
  },
};

/** What keeps or shows state of the account, which all customers share. */
const closed: Record<'openai' | 'anthropic', [method: string, path: string][]> = {
  openai: [
    ['GET', '/v1/chat/completions'],
    ['GET', '/v1/chat/completions/chatcmpl-1'],
    ['GET', '/v1/responses/resp_1'],
    ['DELETE', '/v1/responses/resp_1'],
    ['POST', '/v1/responses/resp_1/cancel'],
    ['POST', '/v1/conversations'],
    ['POST', '/v1/files'],
    ['GET', '/v1/files'],
    ['POST', '/v1/batches'],
    ['POST', '/v1/fine_tuning/jobs'],
    ['POST', '/v1/assistants'],
    ['POST', '/v1/threads'],
    ['POST', '/v1/vector_stores'],
    ['GET', '/v1/organization/usage/completions'],
    ['GET', '/v1/organization/admin_api_keys'],
    ['DELETE', '/v1/models/ft:gpt-4o:acme::7p4l'],
    ['HEAD', '/v1/models'],
    ['PUT', '/v1/chat/completions'],
    ['POST', '/v1/messages'],
  ],
  anthropic: [
    ['POST', '/v1/messages/batches'],
    ['GET', '/v1/messages/batches'],
    ['POST', '/v1/files'],
    ['GET', '/v1/organizations/users'],
    ['GET', '/v1/messages'],
    ['POST', '/v1/chat/completions'],
  ],
};

for (const provider of ['openai', 'anthropic'] as const) {
  describe(`what a proxy key may call at ${provider}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    before(async () => {
      gateway = await startTestGateway({ counters: 'memory' });
      device = await gateway.device({ tier: 'enterprise' });
    });
    after(() => gateway.close());

    const ask = (method: string, path: string): Promise<Response> =>
      fetch(`${gateway.url}/proxy/${provider}${path}`, {
        method,
        headers: { 'x-api-key': device.proxyKey, 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{"model":"a-model"}' }),
      });

    for (const method of ['POST', 'GET'] as const) {
      for (const path of open[provider][method]) {
        it(`${method} ${path} is open, and arrives as it is`, async () => {
          const before = gateway.simulator.requests.length;
          await (await ask(method, path)).text();
          const arrived = gateway.simulator.requests.slice(before);
          assert.deepEqual(
            arrived.map((request) => [request.method, request.url]),
            [[method, path]],
          );
        });
      }
    }

    for (const [method, path] of closed[provider]) {
      it(`${method} ${path} is 403 path_not_allowed, and reaches nobody`, async () => {
        const before = gateway.simulator.requests.length;
        const answer = await ask(method, path);
        const text = await answer.text();
        assert.equal(answer.status, 403);
        if (method !== 'HEAD') assert.match(text, /is not open to proxy keys/);
        assert.equal(gateway.simulator.requests.length, before);
      });
    }
  });
}
