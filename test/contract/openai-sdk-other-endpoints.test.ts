import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import {
  assertOnlyRealKeysIn,
  collect,
  sameAsDirect,
  STAGE_DAY,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

describe('the other open endpoints through the official OpenAI SDK', () => {
  let stage: SdkStage;
  let clients: readonly [OpenAI, OpenAI];
  before(async () => {
    stage = await startSdkStage();
    clients = [stage.openai, stage.openaiDirect];
  });
  after(() => stage.close());

  it('embeddings, as the SDK decodes them and as numbers', async () => {
    const model = 'text-embedding-3-small';
    const decoded = await sameAsDirect(clients, (client) =>
      client.embeddings.create({ model, input: ['one', 'two'], dimensions: 256 }),
    );
    assert.deepEqual(
      decoded.data.map(({ embedding }) => embedding.length),
      [256, 256],
    );
    const numbers = await sameAsDirect(clients, (client) =>
      client.embeddings.create({ model, input: 'one', encoding_format: 'float' }),
    );
    assert.equal(numbers.data[0]?.embedding.length, 1536);
  });

  it('moderations', async () => {
    const { results } = await sameAsDirect(clients, (client) =>
      client.moderations.create({ model: 'omni-moderation-latest', input: ['flowers', 'violence'] }),
    );
    assert.deepEqual(
      results.map(({ flagged }) => flagged),
      [false, true],
    );
  });

  it('images: generated, edited, varied', async () => {
    const model = 'gpt-image-1';
    const made = await sameAsDirect(clients, (client) =>
      client.images.generate({ model, prompt: 'a cat', n: 2 }),
    );
    assert.equal(made.data?.length, 2);
    const image = await toFile(Buffer.alloc(100_000, 7), 'cat.png', { type: 'image/png' });
    const edited = await stage.openai.images.edit({ image, model, prompt: 'a hat' });
    assert.match(edited.data?.[0]?.revised_prompt ?? '', /^Received cat\.png \(image\/png, 100000 bytes/);
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is open to proxy keys all the same
    const varied = await stage.openai.images.createVariation({ image, model: 'dall-e-2', n: 3 });
    assert.equal(varied.data?.length, 3);
  });

  it('models: listed, and one of them', async () => {
    const models = await sameAsDirect(clients, (client) => collect(client.models.list()));
    assert.ok(models.length > 3);
    const model = await sameAsDirect(clients, (client) => client.models.retrieve('gpt-5'));
    assert.equal(model.id, 'gpt-5');
  });

  it("the provider's own 404 is the SDK's NotFoundError", async () => {
    await assert.rejects(stage.openai.models.retrieve('no-such-model'), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, 'model_not_found');
      return true;
    });
  });

  it('the provider saw its real key alone, and each call was counted once, by model', async () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    const row = { day: STAGE_DAY, provider: 'openai', refunded: 0 };
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { ...row, model: '', requests: 3 },
      { ...row, model: 'dall-e-2', requests: 1 },
      { ...row, model: 'gpt-image-1', requests: 2 },
      { ...row, model: 'omni-moderation-latest', requests: 1 },
      { ...row, model: 'text-embedding-3-small', requests: 2 },
    ]);
  });
});
