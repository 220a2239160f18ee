import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type OpenAI from 'openai';
import {
  assertOnlyRealKeysIn,
  collect,
  sameAsDirect,
  startSdkStage,
  type SdkStage,
} from '../support/sdk-stage.ts';

const model = 'gpt-4o-mini';
const question: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'Weather in Zürich?' };
const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } };
const tools: OpenAI.ChatCompletionTool[] = [
  { type: 'function', function: { name: 'get_weather', parameters } },
];
const expectedArguments = { city: 'Weather in Zürich?', days: 42 };

describe('tool calls through the official OpenAI SDK', () => {
  let stage: SdkStage;
  let clients: readonly [OpenAI, OpenAI];
  before(async () => {
    stage = await startSdkStage();
    clients = [stage.openai, stage.openaiDirect];
  });
  after(() => stage.close());

  it('a tool is called, and its result answered', async () => {
    const asked = await sameAsDirect(clients, (client) =>
      client.chat.completions.create({ model, messages: [question], tools }),
    );
    const message = asked.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    assert.equal(asked.choices[0]?.finish_reason, 'tool_calls');
    assert.ok(message !== undefined && call?.type === 'function');
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.function.arguments), expectedArguments);

    const result = { role: 'tool' as const, tool_call_id: call.id, content: 'Rain.' };
    const answered = await sameAsDirect(clients, (client) =>
      client.chat.completions.create({ model, messages: [question, message, result], tools }),
    );
    assert.equal(answered.choices[0]?.finish_reason, 'stop');
  });

  it("a streamed call's arguments arrive in pieces that make the whole", async () => {
    const chunks = await sameAsDirect(clients, (client) =>
      collect(client.chat.completions.create({ model, messages: [question], tools, stream: true })),
    );
    const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    assert.ok(pieces.length > 2, `${pieces.length} pieces`);
    assert.equal(pieces[0]?.function?.name, 'get_weather');
    const joined = pieces.map((piece) => piece.function?.arguments ?? '').join('');
    assert.deepEqual(JSON.parse(joined), expectedArguments);
  });

  it('the tool runner of the SDK goes round by itself', async () => {
    const called: unknown[] = [];
    const runner = stage.openai.chat.completions.runTools({
      model,
      messages: [question],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'Tells the weather',
            parameters,
            parse: JSON.parse,
            function: (args: object) => {
              called.push(args);
              return 'Rain.';
            },
          },
        },
      ],
    });
    assert.equal(await runner.finalContent(), 'You said: Weather in Zürich?');
    assert.deepEqual(called, [expectedArguments]);
  });

  it('the responses API calls functions, plain and streamed', async () => {
    const request = {
      model,
      input: 'Weather in Zürich?',
      tools: [{ type: 'function' as const, name: 'get_weather', parameters, strict: false }],
    };
    const plain = await sameAsDirect(clients, (client) => client.responses.create(request));
    const events = await sameAsDirect(clients, (client) =>
      collect(client.responses.create({ ...request, stream: true })),
    );
    const [item] = plain.output;
    assert.ok(item?.type === 'function_call');
    assert.deepEqual(JSON.parse(item.arguments), expectedArguments);
    const deltas = events.flatMap((event) =>
      event.type === 'response.function_call_arguments.delta' ? [event.delta] : [],
    );
    assert.equal(deltas.join(''), item.arguments);
  });

  it('the provider saw its real key alone', () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
  });
});
