import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import {
  assertOnlyRealKeysIn,
  collect,
  sameAsDirect,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const question: Anthropic.MessageParam = { role: 'user', content: 'Weather in Zürich?' };
const request = {
  model: 'claude-sonnet-5-5',
  max_tokens: 100,
  messages: [question],
  tools: [
    {
      name: 'get_weather',
      input_schema: {
        type: 'object' as const,
        properties: { city: { type: 'string' }, days: { type: 'integer' } },
      },
    },
  ],
};
const expectedInput = { city: 'Weather in Zürich?', days: 42 };

describe('tool use through the official Anthropic SDK', () => {
  let stage: SdkStage;
  let clients: readonly [Anthropic, Anthropic];
  before(async () => {
    stage = await startSdkStage();
    clients = [stage.anthropic, stage.anthropicDirect];
  });
  after(() => stage.close());

  it('a tool is used, and its result answered', async () => {
    const asked = await sameAsDirect(clients, (client) => client.messages.create(request));
    const [use] = asked.content;
    assert.equal(asked.stop_reason, 'tool_use');
    assert.ok(use?.type === 'tool_use');
    assert.deepEqual({ name: use.name, input: use.input }, { name: 'get_weather', input: expectedInput });

    const result = { type: 'tool_result' as const, tool_use_id: use.id, content: 'Rain.' };
    const answered = await sameAsDirect(clients, (client) =>
      client.messages.create({
        ...request,
        messages: [
          question,
          { role: 'assistant', content: asked.content },
          { role: 'user', content: [result] },
        ],
      }),
    );
    assert.equal(answered.stop_reason, 'end_turn');
  });

  it("a streamed use's input arrives in pieces that make the whole", async () => {
    const events = await sameAsDirect(clients, (client) =>
      collect(client.messages.create({ ...request, stream: true })),
    );
    const pieces = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'input_json_delta'
        ? [event.delta.partial_json]
        : [],
    );
    assert.ok(pieces.length > 2, `${pieces.length} pieces`);
    assert.deepEqual(JSON.parse(pieces.join('')), expectedInput);
  });

  it('the streaming helper assembles the input', async () => {
    const message = await stage.anthropic.messages.stream(request).finalMessage();
    const [use] = message.content;
    assert.ok(use?.type === 'tool_use');
    assert.deepEqual(use.input, expectedInput);
  });

  it('the provider saw its real key alone', () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
  });
});
