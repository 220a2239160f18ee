import { cutDeltas, mapDeltas, textDeltas, wholeText } from '../deltas.ts';
import type { Deltas } from '../deltas.ts';
import { eventStream, isObject, json, sseEvent } from '../reply.ts';
import type { Call, Json, Reply } from '../reply.ts';
import { countTokens, digest, lastUserText, replyTo, toolArguments } from '../text.ts';
import { anthropicCall } from './anthropic-request.ts';

/** The one content block of a simulated message: text, or a call of a tool. */
interface Content {
  readonly stopReason: string;
  readonly deltas: Deltas<string>;
  /** The block as it starts, and as it is when all its text is there. */
  readonly start: Json;
  whole(text: string): Json;
  delta(text: string): Json;
}

/** POST /v1/messages. */
export const messages = anthropicCall(['model', 'max_tokens', 'messages'], (body, call) => {
  const id = digest(call.body);
  const content = chooseContent(body, call, id);
  if (body.stream === true) return streamed(body, call, id, content);
  const text = wholeText(content.deltas);
  return json({
    ...message(body, id, [content.whole(text)], usageOf(call, text)),
    stop_reason: content.stopReason,
  });
});

/** POST /v1/messages/count_tokens. */
export const countMessageTokens = anthropicCall(['model', 'messages'], (_body, call) =>
  json({ input_tokens: countTokens(call.body) }),
);

function chooseContent(body: Json, call: Call, id: string): Content {
  const prompt = lastUserText(body.messages);
  const tool = chooseTool(body);
  if (tool === undefined) {
    return {
      stopReason: 'end_turn',
      deltas: textDeltas(replyTo(prompt), call.behaviour),
      start: { type: 'text', text: '' },
      whole: (text) => ({ type: 'text', text }),
      delta: (text) => ({ type: 'text_delta', text }),
    };
  }
  const block = { type: 'tool_use', id: `toolu_${id}`, name: tool.name, caller: { type: 'direct' } };
  const input = toolArguments(tool.input_schema, prompt);
  return {
    stopReason: 'tool_use',
    deltas: cutDeltas(JSON.stringify(input), call.behaviour),
    start: { ...block, input: {} },
    whole: () => ({ ...block, input }),
    delta: (text) => ({ type: 'input_json_delta', partial_json: text }),
  };
}

/** The named or first tool, unless the last message already carries a tool's result. */
function chooseTool(body: Json): Json | undefined {
  const { tools, messages: conversation, tool_choice: choice } = body;
  if (!Array.isArray(tools) || (isObject(choice) && choice.type === 'none')) return undefined;
  const last: unknown = Array.isArray(conversation) ? conversation.at(-1) : undefined;
  const content = isObject(last) ? last.content : undefined;
  const answered =
    Array.isArray(content) && content.some((part: unknown) => isObject(part) && part.type === 'tool_result');
  if (answered) return undefined;
  const known = tools.filter(isObject);
  const wanted = isObject(choice) ? choice.name : undefined;
  return known.find((tool) => tool.name === wanted) ?? known[0];
}

function usageOf(call: Call, output: string): Json {
  return {
    input_tokens: countTokens(call.body),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: countTokens(output),
    service_tier: 'standard',
  };
}

function message(body: Json, id: string, content: Json[], usage: Json): Json {
  return {
    model: body.model,
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    content,
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
}

function streamed(body: Json, call: Call, id: string, content: Content): Reply {
  const event = (data: Json): string => sseEvent(data, String(data.type));
  const text = content.stopReason === 'end_turn' ? replyTo(lastUserText(body.messages)) : '';
  const usage = usageOf(call, text);
  return eventStream({
    head: [
      event({
        type: 'message_start',
        message: message(body, id, [], { ...usage, output_tokens: 1 }),
      }),
      event({ type: 'content_block_start', index: 0, content_block: content.start }),
      event({ type: 'ping' }),
    ],
    deltas: mapDeltas(content.deltas, (delta) =>
      event({ type: 'content_block_delta', index: 0, delta: content.delta(delta) }),
    ),
    tail: () => [
      event({ type: 'content_block_stop', index: 0 }),
      event({
        type: 'message_delta',
        delta: { stop_reason: content.stopReason, stop_sequence: null },
        usage: {
          input_tokens: usage.input_tokens,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: usage.output_tokens,
        },
      }),
      event({ type: 'message_stop' }),
    ],
  });
}
