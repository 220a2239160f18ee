import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { FORMS, usageOf } from '../support/streams.ts';

/** Upper-case letters only, so that no piece of it stands in a log line by chance. */
const secret = Array.from({ length: 48 }, () => String.fromCharCode(65 + randomInt(26))).join('');
const keys = { openai: `sk-${secret}`, anthropic: `sk-ant-${secret}` };
const PIECE = 4;
const paths = { openai: 'v1/chat/completions', anthropic: 'v1/messages' };
const sentences = {
  openai: 'OpenAI refused the API key of this service. Its operator has to correct it',
  anthropic: 'Anthropic refused the API key of this service. Its operator has to correct it',
};

for (const counters of ['redis', 'memory'] as const) {
  describe(`a provider that refuses our own key, counters in ${counters}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    before(async () => {
      Object.values(keys).forEach(rememberSecret);
      const env = { OPENAI_API_KEY: keys.openai, ANTHROPIC_API_KEY: keys.anthropic, LOG_LEVEL: 'trace' };
      gateway = await startTestGateway({ counters, env });
      // The simulator knows other keys: it refuses these as the providers do, quoting OpenAI's in part.
      device = await gateway.device({ daily_limit: 1 });
    });
    after(() => gateway.close());

    for (const provider of ['openai', 'anthropic'] as const) {
      for (const form of FORMS) {
        it(`${provider}, ${form}: 502 in a fixed text, given back`, async () => {
          const body = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] };
          const answer = await gateway.request(`/proxy/${provider}/${paths[provider]}`, {
            headers: form === 'drop-in' ? { 'x-api-key': device.proxyKey } : {},
            body: form === 'drop-in' ? body : { proxy_key: device.proxyKey, provider, body },
          });
          assert.equal(answer.status, 502);
          assert.equal(messageIn(answer.body), sentences[provider]);
          assert.equal(answer.headers.get('x-ratelimit-remaining'), '1');
          assert.equal(answer.headers.get('www-authenticate'), null);
          assert.deepEqual(await usageOf(gateway, device), { today: 0, this_month: 0 });
          assertHoldsNoPiece(answer.text + JSON.stringify([...answer.headers]), 'the answer');
        });
      }
    }

    it('leaves no piece of the key in the logs', () => {
      assert.ok(gateway.simulator.requests.length >= 4);
      const lines = gateway.logLines();
      assert.equal(lines.filter(({ outcome }) => outcome === 'provider_auth_failed').length, 4);
      assertHoldsNoPiece(JSON.stringify(lines), 'the log');
    });
  });
}

function messageIn(body: object): unknown {
  const { error } = body as { error: string | { message: string } };
  return typeof error === 'string' ? error : error.message;
}

function assertHoldsNoPiece(text: string, where: string): void {
  for (let at = 0; at + PIECE <= secret.length; at += 1) {
    assert.equal(text.includes(secret.slice(at, at + PIECE)), false, `${where} holds a piece of the key`);
  }
}
