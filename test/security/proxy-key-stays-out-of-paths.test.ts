import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { PATIENCE, rawPost, rawRequest } from '../support/raw-http.ts';
import { assertClearError, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

// A path and a model's name are logged and stored: a key that a client puts there must not come along.
describe('a key in a path or in a model name is neither passed on, nor written down, nor repeated', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  const percent = (text: string): string =>
    Array.from(text, (char) => `%${char.charCodeAt(0).toString(16)}`).join('');

  async function assertNotWritten(secret: string): Promise<void> {
    // The line of a request is written when its answer has gone.
    await eventually(
      () => assert.ok(stage.gateway.logLines().some(({ status }) => status === 403)),
      PATIENCE,
    );
    assert.ok(!JSON.stringify(stage.gateway.logLines()).includes(secret), 'a key is in the log');
  }

  it('as the id of a model: 403, and the answer does not repeat it', async () => {
    for (const secret of [stage.device.proxyKey, stage.device.licenseKey]) {
      for (const id of [secret, `ft:gpt-4o:${secret}`, percent(secret)]) {
        const answer = await stage.ask(rawRequest(`GET /proxy/openai/v1/models/${id}`, [stage.bearer]));
        const { code } = assertClearError(answer, 'a key as an id', 403);
        assert.equal(code, 'path_not_allowed');
        assert.ok(!answer.body.includes(secret), 'a key is in the answer');
      }
      await assertNotWritten(secret);
    }
    await stage.assertNothingUpstream('a key in the path');
  });

  it("as an envelope's provider: 400, and the answer does not repeat it", async () => {
    const { proxyKey } = stage.device;
    const envelope = JSON.stringify({ proxy_key: proxyKey, provider: proxyKey, body: {} });
    const answer = await stage.ask(rawPost('/proxy/openai', [JSON_TYPE], envelope));
    assertClearError(answer, 'a key as a provider', 400);
    assert.ok(!answer.body.includes(proxyKey));
  });

  it('without its quotes in an envelope: 400, and the answer does not repeat it', async () => {
    const { proxyKey } = stage.device;
    const envelope = `{"proxy_key":${proxyKey},"provider":"openai","body":{}}`;
    const answer = await stage.ask(rawPost('/proxy/openai', [JSON_TYPE], envelope));
    assertClearError(answer, 'a key without quotes', 400);
    assert.ok(!answer.body.includes(proxyKey.slice(0, 20)));
  });

  it('as the name of a model that is hidden behind escapes: it is not recorded', async () => {
    const { licenseKey } = stage.device;
    const hidden = `\\u00${licenseKey.charCodeAt(0).toString(16)}${licenseKey.slice(1)}`;
    const body = `{"model":"${hidden}","messages":[{"role":"user","content":"Hello"}]}`;
    await stage.ask(rawPost('/proxy/openai/v1/chat/completions', [stage.bearer, JSON_TYPE], body));
    await stage.newUpstream();
    await assertNotWritten(licenseKey);
    const models = async (): Promise<string[]> => (await stage.gateway.gateway.knex('usage')).map(({ model }) => String(model)); // prettier-ignore
    await eventually(async () => assert.equal((await models()).length, 1), PATIENCE);
    assert.deepEqual(await models(), ['(key)']);
  });
});
