import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { rememberSecret } from '../support/output.ts';
import { assertUsage } from '../support/recorded-usage.ts';
import { openaiAt, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

const request = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'Hello' }] };

/** Never issued: one has a proxy key's form, one does not, and one is what a customer of OpenAI would have. */
const unknownKeys = [`px_${'A1b2C3d4'.repeat(5)}`, 'px_short', `sk-proj-${'Z9y8X7w6'.repeat(5)}`];

describe("our refusals are the OpenAI SDK's typed exceptions", () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
    for (const key of unknownKeys) if (key.length >= 40) rememberSecret(key);
  });
  after(() => stage.close());

  for (const [index, key] of unknownKeys.entries()) {
    it(`an unknown key is an AuthenticationError (${index + 1} of ${unknownKeys.length})`, async () => {
      const client = openaiAt(stage.gateway, key);
      await assert.rejects(client.chat.completions.create(request), (error) => {
        assert.ok(error instanceof OpenAI.AuthenticationError);
        assert.equal(error.code, 'invalid_proxy_key');
        assert.equal(error.type, 'authentication_error');
        assert.equal(error.param, null);
        assert.match(error.message, /^401 Invalid proxy key/);
        return true;
      });
    });
  }

  it('a key in an upload or a stream that is unknown is an AuthenticationError too', async () => {
    const client = openaiAt(stage.gateway, unknownKeys[0] ?? '');
    const file = await toFile(Buffer.alloc(300_000), 'speech.mp3');
    await assert.rejects(
      client.audio.transcriptions.create({ file, model: 'whisper-1' }),
      OpenAI.AuthenticationError,
    );
    await assert.rejects(
      client.chat.completions.create({ ...request, stream: true }),
      OpenAI.AuthenticationError,
    );
  });

  it('a suspended license is a PermissionDeniedError', async () => {
    const suspended = await stage.gateway.device();
    await stage.gateway.admin(`/licenses/${suspended.licenseId}/suspend`, { method: 'POST' });
    const client = openaiAt(stage.gateway, suspended.proxyKey);
    await assert.rejects(client.chat.completions.create(request), (error) => {
      assert.ok(error instanceof OpenAI.PermissionDeniedError);
      assert.equal(error.code, 'license_suspended');
      assert.equal(error.type, 'permission_error');
      return true;
    });
  });

  const closedPaths: Record<string, (client: OpenAI) => Promise<unknown>> = {
    'files.list': (client) => client.files.list(),
    'files.create': async (client) =>
      client.files.create({ file: await toFile(Buffer.from('{}'), 'a.jsonl'), purpose: 'batch' }),
    'batches.list': (client) => client.batches.list(),
    'fineTuning.jobs.list': (client) => client.fineTuning.jobs.list(),
    'chat.completions.list': (client) => client.chat.completions.list(),
    'responses.retrieve': (client) => client.responses.retrieve('resp_1'),
    'models.delete': (client) => client.models.delete('ft:gpt-5:acme'),
  };
  for (const [name, call] of Object.entries(closedPaths)) {
    it(`${name} is not open, which is a PermissionDeniedError`, async () => {
      await assert.rejects(call(stage.openai), (error) => {
        assert.ok(error instanceof OpenAI.PermissionDeniedError);
        assert.equal(error.code, 'path_not_allowed');
        return true;
      });
    });
  }

  it('none of it reached the provider, nor counted', async () => {
    assert.equal(stage.gateway.simulator.requests.length, 0);
    await assertUsage(stage.gateway, stage.device.licenseId, []);
  });
});
