import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  boundDevice,
  CHAT,
  newDeviceKey,
  send,
  sentenceOf,
  signingTiers,
  signMessage,
  stamp,
  stampHeaders,
} from '../support/signing.ts';

describe('a signed request', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory' });
  });
  after(() => gateway.close());

  it('carries no proxy key to the provider', async () => {
    const { proxyKey } = await gateway.device({ tier: 'signed' });
    const body = JSON.stringify({ model: 'gpt-4o', padding: 'x'.repeat(200_000), key: proxyKey });
    const headers = { authorization: `Bearer ${proxyKey}`, ...stampHeaders(stamp(proxyKey, 'openai', body)) };
    const seen = gateway.simulator.requests.length;
    const answer = await send(gateway, CHAT, { headers, body });
    assert.equal(answer.status, 400);
    assert.match(sentenceOf(answer), /holds a proxy key/);
    assert.equal(gateway.simulator.requests.length, seen);
  });

  it('brings none of the headers of its proof to the provider', async () => {
    const key = newDeviceKey();
    const { proxyKey } = await boundDevice(gateway, key);
    const body = '{"model":"gpt-4o","messages":[]}';
    const envelope = `{"proxy_key":"${proxyKey}","provider":"openai","body":${body}}`;
    for (const [sent, credential] of [
      [body, { authorization: `Bearer ${proxyKey}` }],
      [envelope, {}],
    ] as const) {
      const headers = { ...credential, ...signMessage({ key, body: sent }), 'x-licensify-timestamp': '1' };
      const answer = await send(gateway, CHAT, { headers, body: sent });
      assert.equal(answer.status, 200, answer.text);
      const received = gateway.simulator.requests.at(-1);
      assert.equal(received?.body.toString(), body);
      const names = Object.keys(received.headers);
      assert.deepEqual(
        names.filter((name) => /signature|digest|licensify/.test(name)),
        [],
      );
    }
  });
});
