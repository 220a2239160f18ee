import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { rememberSecret } from '../support/output.ts';
import { assertUsage } from '../support/recorded-usage.ts';
import { anthropicAt, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

const request = {
  model: 'claude-haiku-5-5',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hello' }],
};

/** Never issued: one has a proxy key's form, one does not, and one is what a customer of Anthropic would have. */
const unknownKeys = [`px_${'A1b2C3d4'.repeat(5)}`, 'px_short', `sk-ant-api03-${'Z9y8X7w6'.repeat(5)}`];

describe("our refusals are the Anthropic SDK's typed exceptions", () => {
  let stage: SdkStage;
  before(async () => {
    stage = await startSdkStage();
    for (const key of unknownKeys) if (key.length >= 40) rememberSecret(key);
  });
  after(() => stage.close());

  for (const [index, key] of unknownKeys.entries()) {
    it(`an unknown key is an AuthenticationError (${index + 1} of ${unknownKeys.length})`, async () => {
      const client = anthropicAt(stage.gateway, key);
      for (const stream of [false, true]) {
        await assert.rejects(client.messages.create({ ...request, stream }), (error) => {
          assert.ok(error instanceof Anthropic.AuthenticationError);
          assert.equal(error.type, 'authentication_error');
          assert.match(error.message, /Invalid proxy key/);
          return true;
        });
      }
    });
  }

  it('a suspended license is a PermissionDeniedError', async () => {
    const suspended = await stage.gateway.device();
    await stage.gateway.admin(`/licenses/${suspended.licenseId}/suspend`, { method: 'POST' });
    await assert.rejects(anthropicAt(stage.gateway, suspended.proxyKey).messages.create(request), (error) => {
      assert.ok(error instanceof Anthropic.PermissionDeniedError);
      assert.equal(error.type, 'permission_error');
      assert.match(error.message, /suspended/);
      return true;
    });
  });

  const closedPaths: Record<string, (client: Anthropic) => Promise<unknown>> = {
    'messages.batches.list': (client) => client.messages.batches.list(),
    'messages.batches.create': (client) =>
      client.messages.batches.create({ requests: [{ custom_id: '1', params: request }] }),
    'beta.files.list': (client) => client.beta.files.list(),
    'beta.files.upload': async (client) =>
      client.beta.files.upload({ file: await toFile(Buffer.alloc(300_000), 'a.txt') }),
  };
  for (const [name, call] of Object.entries(closedPaths)) {
    it(`${name} is not open, which is a PermissionDeniedError`, async () => {
      await assert.rejects(call(stage.anthropic), (error) => {
        assert.ok(error instanceof Anthropic.PermissionDeniedError);
        assert.equal(error.type, 'permission_error');
        assert.match(error.message, /is not open to proxy keys/);
        return true;
      });
    });
  }

  it('none of it reached the provider, nor counted', async () => {
    assert.equal(stage.gateway.simulator.requests.length, 0);
    await assertUsage(stage.gateway, stage.device.licenseId, []);
  });
});
