import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headerValue, rawPost, rawRequest } from '../support/raw-http.ts';
import { badEnvelopes } from '../support/raw-envelopes.ts';
import { assertOwnError, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const PATH = '/proxy/openai/v1/chat/completions';

describe('a malformed envelope is refused with a sentence, goes nowhere and costs nothing', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  const envelope = (): string =>
    `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${CHAT}}`;

  async function assertRefused(bytes: Buffer[], name: string, status: number, code: string): Promise<string> {
    const answer = await stage.ask(...bytes);
    const message = assertOwnError(answer, name, status, code);
    assert.ok(!answer.body.includes('px_'), `${name}: the answer repeats the key`);
    await stage.assertNothingUpstream(name);
    return message;
  }

  // The key is known only when the stage stands: the names of these cases are the same for any.
  for (const name of Object.keys(badEnvelopes('KEY'))) {
    it(name, async () => {
      const bad = badEnvelopes(stage.device.proxyKey)[name];
      assert.ok(bad !== undefined);
      const message = await assertRefused([rawPost(PATH, [JSON_TYPE], bad.text)], name, bad.status, bad.code);
      assert.match(message, bad.says);
    });
  }

  it('cut off at any byte', async () => {
    const text = envelope();
    for (let length = 1; length < text.length; length += 1) {
      const request = rawPost(PATH, [JSON_TYPE], text.slice(0, length));
      await assertRefused([request], `${length} bytes of it`, 400, 'invalid_request');
    }
  });

  it('of another content type: 415', async () => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonx',
      'json',
      'text/json',
      '*/*',
    ];
    for (const type of types) {
      const request = rawPost(PATH, [`Content-Type: ${type}`], envelope());
      await assertRefused([request], type, 415, 'unsupported_media_type');
    }
    await assertRefused([rawPost(PATH, [], envelope())], 'no type', 415, 'unsupported_media_type');
  });

  it('where no envelope belongs: 401', async () => {
    const get = rawRequest(
      'GET /proxy/openai/v1/models',
      [JSON_TYPE, `Content-Length: ${envelope().length}`],
      envelope(),
    );
    await assertRefused([get], 'GET', 401, 'invalid_proxy_key');
    const upload = rawPost(PATH, ['Content-Type: multipart/form-data; boundary=b'], envelope());
    await assertRefused([upload], 'upload', 401, 'invalid_proxy_key');
    await assertRefused([rawRequest(`POST ${PATH}`, [])], 'nothing', 401, 'invalid_proxy_key');
  });

  it('nothing of all that was counted, and limits are told where the key was known', async () => {
    assert.equal(await stage.usedToday(), 0);
    const text = envelope().replace('"provider"', '"hardware_id":"hw-other","provider"');
    const answer = await stage.ask(rawPost(PATH, [JSON_TYPE], text));
    assert.equal(answer.status, 403);
    assert.equal(headerValue(answer, 'X-RateLimit-Remaining'), '-1');
    await stage.assertAlive();
  });
});
