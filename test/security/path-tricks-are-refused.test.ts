import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headerValue, rawPost, rawRequest } from '../support/raw-http.ts';
import { refusedPaths, refusedTargets } from '../support/raw-paths.ts';
import { assertClearError, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';
import { FORBIDDEN_MARKER } from '../support/simulator/simulator.ts';

describe('a proxy key reaches the calls that are open to it, and nothing else', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  async function assertRefused(context: string, bytes: Buffer): Promise<void> {
    const answer = await stage.ask(bytes);
    const { message } = assertClearError(answer, context, 400, 403, 404);
    assert.ok(!answer.body.includes(FORBIDDEN_MARKER), context);
    assert.ok(!headerValue(answer, 'x-injected'), context);
    assert.ok(/^[\x20-\x7e]*$/.test(message), `${context}: the message is printable`);
    await stage.assertNothingUpstream(context);
  }

  const targets = [...refusedPaths.map((path) => `/proxy/openai${path}`), ...refusedTargets];
  it(`GET, POST and DELETE of ${targets.length} targets that are none of them`, async () => {
    for (const target of targets) {
      const headers = [stage.bearer, JSON_TYPE];
      await assertRefused(`GET ${target}`, rawRequest(`GET ${target}`, headers));
      await assertRefused(`DELETE ${target}`, rawRequest(`DELETE ${target}`, headers));
      // An empty path is the default call, with POST.
      if (/^\/proxy\/openai\/?$/.test(target)) continue;
      await assertRefused(`POST ${target}`, rawPost(target, headers, CHAT));
    }
  });

  it('the same for an envelope', async () => {
    const envelope = `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${CHAT}}`;
    for (const target of targets) {
      if (/^\/proxy\/openai\/?$/.test(target)) continue;
      await assertRefused(`envelope to ${target}`, rawPost(target, [JSON_TYPE], envelope));
    }
  });

  it('every method that is not meant for a call', async () => {
    const methods = 'DELETE PUT PATCH OPTIONS TRACE PROPFIND SEARCH QUERY PURGE M-SEARCH'.split(' ');
    for (const method of methods) {
      const target = '/proxy/openai/v1/models';
      await assertRefused(method, rawRequest(`${method} ${target}`, [stage.bearer]));
    }
    await assertRefused('POST models', rawPost('/proxy/openai/v1/models', [stage.bearer, JSON_TYPE], CHAT));
    await assertRefused('GET chat', rawRequest('GET /proxy/openai/v1/chat/completions', [stage.bearer]));
    await assertRefused(
      "one provider's call at the other",
      rawPost('/proxy/openai/v1/messages', [stage.bearer], CHAT),
    );
    await assertRefused(
      'and the other way round',
      rawPost('/proxy/anthropic/v1/responses', [stage.bearer], CHAT),
    );
  });

  it('nothing of it is counted', async () => {
    assert.equal(await stage.usedToday(), 0);
    await stage.assertAlive();
  });
});
