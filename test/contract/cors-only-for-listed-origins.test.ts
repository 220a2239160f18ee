import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { chat, CHAT_PATH } from '../support/streams.ts';

const LISTED = ['https://app.example.com', 'chrome-extension://abcdefghijklmnop'];
const OTHERS = [
  'https://evil.example',
  'https://app.example.com.evil.example',
  'http://app.example.com',
  'null',
];

describe('CORS_ORIGINS says which browsers may read the answers', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', env: { CORS_ORIGINS: LISTED.join(', ') } });
    device = await gateway.device({ daily_limit: 1_000 });
  });
  after(() => gateway.close());

  const ask = (origin: string, simulate = '', stream = false): Promise<Response> => {
    const { headers, body } = chat(device, { simulate, stream });
    return fetch(gateway.url + CHAT_PATH, { method: 'POST', headers: { ...headers, origin }, body });
  };

  const preflight = (origin: string, path: string): Promise<Response> =>
    fetch(gateway.url + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-api-key,anthropic-version',
      },
    });

  for (const origin of LISTED) {
    for (const path of [CHAT_PATH, '/proxy/anthropic/v1/messages', '/activate', '/check']) {
      it(`${origin}: the preflight of ${path} is answered, without asking a provider`, async () => {
        const asked = gateway.simulator.requests.length;
        const answer = await preflight(origin, path);
        assert.equal(answer.status, 204);
        assert.equal(answer.headers.get('access-control-allow-origin'), origin);
        assert.match(answer.headers.get('access-control-allow-methods') ?? '', /\bPOST\b/);
        assert.equal(
          answer.headers.get('access-control-allow-headers'),
          'authorization,content-type,x-api-key,anthropic-version',
        );
        assert.equal(answer.headers.get('access-control-allow-credentials'), null);
        assert.match(answer.headers.get('vary') ?? '', /\bOrigin\b/i);
        assert.equal(gateway.simulator.requests.length, asked);
      });
    }

    const answers = { 'an answer': '', 'an error': 'status=500', 'a refusal of ours': 'status=401' };
    for (const [name, simulate] of Object.entries(answers)) {
      it(`${origin}: ${name} may be read, with its quota and its id`, async () => {
        const answer = await ask(origin, simulate);
        await answer.text();
        assertReadable(answer, origin);
      });
    }

    it(`${origin}: so may a stream`, async () => {
      const answer = await ask(origin, 'chunks=2', true);
      assertReadable(answer, origin);
      assert.match(await answer.text(), /\[DONE\]/);
    });
  }

  for (const origin of OTHERS) {
    it(`${origin} gets no CORS header, nor does a preflight from there`, async () => {
      for (const answer of [
        await ask(origin),
        await preflight(origin, CHAT_PATH),
        await preflight(origin, '/activate'),
      ]) {
        await answer.text();
        assert.deepEqual(corsHeaders(answer), []);
        assert.match(answer.headers.get('vary') ?? '', /\bOrigin\b/i);
      }
    });
  }

  it('what the provider says about browsers is not passed on', async () => {
    const says = 'header:Access-Control-Allow-Origin=*, header:Access-Control-Allow-Credentials=true';
    const other = await ask('https://evil.example', says);
    await other.text();
    assert.deepEqual(corsHeaders(other), []);
    const listed = await ask(LISTED[0] ?? '', says);
    await listed.text();
    assertReadable(listed, LISTED[0] ?? '');
    assert.equal(listed.headers.get('access-control-allow-credentials'), null);
  });

  it('without CORS_ORIGINS there are no such headers at all', async () => {
    const plain = await startTestGateway({ joins: gateway, env: { CORS_ORIGINS: undefined } });
    try {
      const { headers, body } = chat(device);
      for (const origin of [...LISTED, ...OTHERS]) {
        const answer = await fetch(plain.url + CHAT_PATH, {
          method: 'POST',
          headers: { ...headers, origin },
          body,
        });
        await answer.text();
        assert.equal(answer.status, 200);
        assert.deepEqual(corsHeaders(answer), []);
      }
    } finally {
      await plain.close();
    }
  });
});

function corsHeaders({ headers }: Response): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control-'));
}

function assertReadable({ headers }: Response, origin: string): void {
  assert.equal(headers.get('access-control-allow-origin'), origin);
  const exposed = headers.get('access-control-expose-headers')?.toLowerCase().split(',') ?? [];
  for (const name of ['limit', 'remaining', 'reset']) assert.ok(exposed.includes(`x-ratelimit-${name}`));
  for (const name of ['retry-after', 'x-licensify-request-id']) assert.ok(exposed.includes(name));
}
