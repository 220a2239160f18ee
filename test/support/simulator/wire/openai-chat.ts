import { cutDeltas, mapDeltas, textDeltas, wholeText } from '../deltas.ts';
import { eventStream, isObject, json, sseEvent } from '../reply.ts';
import type { Call, Json, Reply } from '../reply.ts';
import { countTokens, CREATED, digest, lastUserText, replyTo, toolArguments } from '../text.ts';
import { jsonCall } from './openai-request.ts';

interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What a chunk and a completion have in common. */
interface Envelope {
  readonly id: string;
  readonly created: number;
  readonly model: unknown;
  readonly service_tier: string;
  readonly system_fingerprint: string;
}

/** POST /v1/chat/completions. */
export const chatCompletions = jsonCall(['model', 'messages'], (body, call) => {
  const id = digest(call.body);
  const envelope: Envelope = {
    id: `chatcmpl-${id}`,
    created: CREATED,
    model: body.model,
    service_tier: 'default',
    system_fingerprint: 'fp_simulated00',
  };
  const tool = chooseTool(body, id);
  return body.stream === true ? streamed(body, call, envelope, tool) : plain(body, call, envelope, tool);
});

/** The tool that the simulated model calls: the named or first one, once, until its result is there. */
function chooseTool(body: Json, id: string): ToolCall | undefined {
  const { tools, messages, tool_choice: choice } = body;
  if (!Array.isArray(tools) || !Array.isArray(messages) || choice === 'none') return undefined;
  const last: unknown = messages.at(-1);
  if (isObject(last) && last.role === 'tool') return undefined;
  const functions = tools
    .map((tool: unknown) => (isObject(tool) ? tool.function : undefined))
    .filter(isObject);
  const wanted = isObject(choice) && isObject(choice.function) ? choice.function.name : undefined;
  const chosen = functions.find((candidate) => candidate.name === wanted) ?? functions[0];
  if (chosen === undefined) return undefined;
  const args = toolArguments(chosen.parameters, lastUserText(messages));
  return { id: `call_${id}`, name: String(chosen.name), arguments: JSON.stringify(args) };
}

function usageOf(call: Call, output: string): Json {
  const prompt = countTokens(call.body);
  const completion = countTokens(output);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}

function plain(body: Json, call: Call, envelope: Envelope, tool: ToolCall | undefined): Reply {
  const text = wholeText(textDeltas(replyTo(lastUserText(body.messages)), call.behaviour));
  const message =
    tool === undefined
      ? { role: 'assistant', content: text, refusal: null, annotations: [] }
      : { role: 'assistant', content: null, refusal: null, annotations: [], tool_calls: [asCall(tool)] };
  const { id, created, model, ...rest } = envelope;
  return json({
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(tool) }],
    usage: usageOf(call, tool?.arguments ?? text),
    ...rest,
  });
}

function asCall(tool: ToolCall): Json {
  return { id: tool.id, type: 'function', function: { name: tool.name, arguments: tool.arguments } };
}

function finishOf(tool: ToolCall | undefined): string {
  return tool === undefined ? 'stop' : 'tool_calls';
}

function streamed(body: Json, call: Call, envelope: Envelope, tool: ToolCall | undefined): Reply {
  const options = body.stream_options;
  const withUsage = isObject(options) && options.include_usage === true;
  // With include_usage every chunk has the field: null, until the last one.
  const usage = withUsage ? { usage: null } : {};
  const event = (choices: Json[], more: Json = usage): string =>
    sseEvent({ ...envelope, object: 'chat.completion.chunk', choices, ...more });
  const chunk = (delta: Json, finish: string | null = null): string =>
    event([{ index: 0, delta, logprobs: null, finish_reason: finish }]);

  const text = replyTo(lastUserText(body.messages));
  const first =
    tool === undefined
      ? { role: 'assistant', content: '', refusal: null }
      : {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [{ index: 0, ...asCall({ ...tool, arguments: '' }) }],
        };
  const deltas =
    tool === undefined
      ? mapDeltas(textDeltas(text, call.behaviour), (content) => chunk({ content }))
      : mapDeltas(cutDeltas(tool.arguments, call.behaviour), (piece) =>
          chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] }),
        );
  return eventStream({
    head: [chunk(first)],
    deltas,
    tail: () => [
      chunk({}, finishOf(tool)),
      ...(withUsage ? [event([], { usage: usageOf(call, tool?.arguments ?? text) })] : []),
      'data: [DONE]\n\n',
    ],
  });
}
