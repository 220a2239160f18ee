import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestDevice } from '../support/gateway.ts';
import { rawPost } from '../support/raw-http.ts';
import {
  assertClearError,
  assertHoldsNoProxyKey,
  assertOwnError,
  CHAT,
  JSON_TYPE,
  RawStage,
} from '../support/raw-stage.ts';

const PATH = '/proxy/openai/v1/chat/completions';

// An envelope that is taken for a drop-in request because of its header would go to the provider as it is, key and all.
describe('an envelope is an envelope, whatever credential is sent beside it', () => {
  let stage: RawStage;
  let other: TestDevice;
  before(async () => {
    stage = await RawStage.start();
    other = await stage.gateway.device({}, 'hw-other');
  });
  after(() => stage.close());

  const envelope = (body = CHAT): string =>
    `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${body}}`;
  const keyLast = (): string => `{"provider":"openai","body":${CHAT},"proxy_key":"${stage.device.proxyKey}"}`;

  async function assertUnwrapped(headers: string[], text: string): Promise<void> {
    const answer = await stage.ask(rawPost(PATH, [JSON_TYPE, ...headers], text));
    assert.equal(answer.status, 200);
    const [request, ...others] = await stage.newUpstream();
    assert.ok(request !== undefined && others.length === 0);
    assert.equal(request.body.toString(), CHAT);
    assertHoldsNoProxyKey(request);
  }

  it('its own key once more, in either header', async () => {
    for (const text of [envelope(), keyLast()]) {
      await assertUnwrapped([stage.bearer], text);
      await assertUnwrapped([`X-Api-Key: ${stage.device.proxyKey}`], text);
    }
  });

  it('a key that is none of ours', async () => {
    await assertUnwrapped(['Authorization: Bearer sk-foreign', 'X-Api-Key: sk-ant-foreign'], envelope());
  });

  it("another device's key: refused, since only one of them can be meant", async () => {
    for (const text of [envelope(), keyLast()]) {
      const headers = [JSON_TYPE, `Authorization: Bearer ${other.proxyKey}`];
      assertOwnError(await stage.ask(rawPost(PATH, headers, text)), 'two keys', 400, 'invalid_request');
      await stage.assertNothingUpstream('two keys');
    }
  });

  it('the key inside its body: refused, also without a header', async () => {
    for (const key of [stage.device.proxyKey, other.proxyKey]) {
      const text = envelope(CHAT.replace('Hello', key));
      for (const headers of [[], [stage.bearer], ['Authorization: Bearer sk-foreign']]) {
        const answer = await stage.ask(rawPost(PATH, [JSON_TYPE, ...headers], text));
        assertOwnError(answer, 'a key inside', 400, 'invalid_request');
      }
    }
    await stage.assertNothingUpstream('a key inside');
  });

  it('a malformed one says what is wrong with it, with the key in the header as well', async () => {
    const text = `{"proxy_key":"${stage.device.proxyKey}","provider":"openai"}`;
    const answer = await stage.ask(rawPost(PATH, [JSON_TYPE, stage.bearer], text));
    assert.match(assertOwnError(answer, 'no body', 400, 'invalid_request'), /"body" is missing/);
    await stage.assertNothingUpstream('no body');
  });

  it('a large one whose key comes last: nothing of the key reaches the provider', async () => {
    const large = `{"provider":"openai","body":{"x":"${'a'.repeat(1_000_000)}"},"proxy_key":"${stage.device.proxyKey}"}`;
    assert.equal((await stage.ask(rawPost(PATH, [JSON_TYPE], large))).status, 400, 'the provider refuses it');
    const used = await stage.usedToday();
    assertClearError(await stage.ask(rawPost(PATH, [JSON_TYPE, stage.bearer], large)), 'large', 400);
    for (const request of await stage.newUpstream()) assertHoldsNoProxyKey(request);
    assert.equal(await stage.usedToday(), used);
  });
});
