import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawPost } from '../support/raw-http.ts';
import { assertHoldsNoProxyKey, CHAT, JSON_TYPE, MESSAGE, RawStage } from '../support/raw-stage.ts';
import { ANTHROPIC_KEY, OPENAI_KEY } from '../support/simulator/simulator.ts';

const nominations = [
  'x-api-key',
  'authorization',
  'Authorization, X-Api-Key',
  'close, authorization',
  'keep-alive, x-api-key, upgrade',
  'content-length',
  'content-length, transfer-encoding, host',
  'proxy-authorization',
  ', ,authorization,',
  'connection',
];

// A proxy that deletes what Connection names after it has set the real key deletes the key; one that ignores Connection
// passes on what was meant for it alone.
describe('a Connection header neither takes the real key away nor lets another one through', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  for (const nominated of nominations) {
    it(`"Connection: ${nominated}" to OpenAI`, async () => {
      const proxyAuthorization = `Proxy-Authorization: Bearer ${stage.device.proxyKey}`;
      const headers = [stage.bearer, JSON_TYPE, `Connection: ${nominated}`, proxyAuthorization];
      const request = rawPost('/proxy/openai/v1/chat/completions', headers, CHAT);
      assert.equal((await stage.ask(request)).status, 200);
      const [received, ...others] = await stage.newUpstream();
      assert.ok(received !== undefined && others.length === 0);
      assert.equal(received.headers.authorization, `Bearer ${OPENAI_KEY}`);
      assert.equal(received.headers['proxy-authorization'], undefined);
      assert.equal(received.body.toString(), CHAT);
      assertHoldsNoProxyKey(received);
    });

    it(`"Connection: ${nominated}" to Anthropic`, async () => {
      const headers = [`x-api-key: ${stage.device.proxyKey}`, JSON_TYPE, `Connection: ${nominated}`];
      const request = rawPost('/proxy/anthropic/v1/messages', headers, MESSAGE);
      assert.equal((await stage.ask(request)).status, 200);
      const [received, ...others] = await stage.newUpstream();
      assert.ok(received !== undefined && others.length === 0);
      assert.equal(received.headers['x-api-key'], ANTHROPIC_KEY);
      assert.equal(received.headers.authorization, undefined);
      assertHoldsNoProxyKey(received);
    });
  }

  it('what Connection names is not passed on', async () => {
    const headers = [
      stage.bearer,
      JSON_TYPE,
      'Connection: X-Hop, x-simulate',
      'X-Hop: a',
      'X-End: b',
      'x-simulate: status=500',
    ];
    const answer = await stage.ask(rawPost('/proxy/openai/v1/chat/completions', headers, CHAT));
    assert.equal(answer.status, 200);
    const [received] = await stage.newUpstream();
    assert.equal(received?.headers['x-hop'], undefined);
    assert.equal(received?.headers['x-end'], 'b');
  });
});
