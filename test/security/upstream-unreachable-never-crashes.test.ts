import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawPost } from '../support/raw-http.ts';
import { assertClearError, CHAT, JSON_TYPE, MESSAGE, RawStage } from '../support/raw-stage.ts';
import { RawUpstream } from '../support/raw-upstream.ts';

// http-proxy without an `error` listener throws such errors out of the event loop, and the process is gone.
describe('a provider that cannot be reached is a 502, for each request that asks for it', () => {
  let stage: RawStage;
  before(async () => {
    const gone = await RawUpstream.start();
    await gone.close();
    stage = await RawStage.start({
      env: { OPENAI_BASE_URL: gone.url, ANTHROPIC_BASE_URL: 'http://does-not-exist.invalid' },
    });
  });
  after(() => stage.close());

  it('connections that are refused', async () => {
    const used = await stage.usedToday();
    for (let count = 0; count < 5; count += 1) {
      const request = rawPost('/proxy/openai/v1/chat/completions', [stage.bearer, JSON_TYPE], CHAT);
      const error = assertClearError(await stage.ask(request), 'refused', 502);
      assert.equal(error.code, 'upstream_unreachable');
      assert.ok(!/ECONN|127\.0\.0\.1|localhost/.test(error.message), 'the cause is for the log');
    }
    assert.equal(await stage.usedToday(), used);
  });

  it('a name that does not resolve', async () => {
    const request = rawPost('/proxy/anthropic/v1/messages', [stage.bearer, JSON_TYPE], MESSAGE);
    const { message } = assertClearError(await stage.ask(request), 'no such host', 502);
    assert.ok(!/ENOTFOUND|invalid/.test(message), 'the cause is for the log');
  });

  it('and everything else still works', async () => {
    assert.equal((await stage.gateway.request('/health')).status, 200);
    assert.equal(await stage.usedToday(), 0);
  });
});
