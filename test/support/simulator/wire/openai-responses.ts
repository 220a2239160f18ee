import { closingText, cutDeltas, mapDeltas, textDeltas, wholeText } from '../deltas.ts';
import type { Deltas } from '../deltas.ts';
import { eventStream, isObject, json, sseEvent } from '../reply.ts';
import type { Call, Json, Reply } from '../reply.ts';
import { countTokens, CREATED, digest, lastUserText, replyTo, toolArguments } from '../text.ts';
import { jsonCall } from './openai-request.ts';

/** The one output item of a simulated response: a message, or a function call. */
interface Output {
  readonly deltas: Deltas<string>;
  /** The event that carries a delta, and the fields that go with it. */
  readonly deltaType: string;
  readonly position: Json;
  /** The item as it is with this much of its text. */
  item(status: string, text: string): Json;
  /** The events around the deltas that only this kind of item has. */
  opening: readonly Json[];
  closing(text: string): readonly Json[];
}

/** POST /v1/responses. */
export const responses = jsonCall(['model', 'input'], (body, call) => {
  const id = digest(call.body);
  const output = chooseOutput(body, call, id);
  return body.stream === true
    ? streamed(body, call, id, output)
    : json(completed(body, call, id, output, wholeText(output.deltas)));
});

function chooseOutput(body: Json, call: Call, id: string): Output {
  const { tools, input } = body;
  const prompt = lastUserText(input);
  const last: unknown = Array.isArray(input) ? input.at(-1) : undefined;
  const answered = isObject(last) && last.type === 'function_call_output';
  const tool: unknown = Array.isArray(tools) && !answered ? tools.find(isFunction) : undefined;
  return isObject(tool) ? functionCall(tool, prompt, call, id) : message(prompt, call, id);
}

function isFunction(tool: unknown): boolean {
  return isObject(tool) && tool.type === 'function';
}

function message(prompt: string, call: Call, id: string): Output {
  const position = { item_id: `msg_${id}`, output_index: 0, content_index: 0 };
  const part = (text: string): Json => ({ type: 'output_text', annotations: [], logprobs: [], text });
  return {
    deltas: textDeltas(replyTo(prompt), call.behaviour),
    deltaType: 'response.output_text.delta',
    position: { ...position, logprobs: [] },
    item: (status, text) => ({
      id: position.item_id,
      type: 'message',
      status,
      role: 'assistant',
      content: status === 'completed' ? [part(text)] : [],
    }),
    opening: [{ type: 'response.content_part.added', ...position, part: part('') }],
    closing: (text) => [
      { type: 'response.output_text.done', ...position, text, logprobs: [] },
      { type: 'response.content_part.done', ...position, part: part(text) },
    ],
  };
}

function functionCall(tool: Json, prompt: string, call: Call, id: string): Output {
  const position = { item_id: `fc_${id}`, output_index: 0 };
  const name = String(tool.name);
  const args = JSON.stringify(toolArguments(tool.parameters, prompt));
  return {
    deltas: cutDeltas(args, call.behaviour),
    deltaType: 'response.function_call_arguments.delta',
    position,
    item: (status, text) => ({
      id: position.item_id,
      type: 'function_call',
      status,
      call_id: `call_${id}`,
      name,
      arguments: text,
    }),
    opening: [],
    closing: (text) => [
      { type: 'response.function_call_arguments.done', ...position, name, arguments: text },
    ],
  };
}

function responseObject(body: Json, id: string, status: string, output: Json[], usage: Json | null): Json {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: CREATED,
    status,
    completed_at: status === 'completed' ? CREATED + 1 : null,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    model: body.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: body.store ?? true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: 1,
    truncation: 'disabled',
    usage,
    metadata: body.metadata ?? {},
  };
}

function completed(body: Json, call: Call, id: string, output: Output, text: string): Json {
  const input = countTokens(call.body);
  const written = countTokens(text);
  return responseObject(body, id, 'completed', [output.item('completed', text)], {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: written,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + written,
  });
}

function streamed(body: Json, call: Call, id: string, output: Output): Reply {
  const event = (data: Json, sequence: number): string => {
    const { type, ...rest } = data;
    return sseEvent({ type, sequence_number: sequence, ...rest }, String(type));
  };
  const started = responseObject(body, id, 'in_progress', [], null);
  const head = [
    { type: 'response.created', response: started },
    { type: 'response.in_progress', response: started },
    { type: 'response.output_item.added', output_index: 0, item: output.item('in_progress', '') },
    ...output.opening,
  ];
  return eventStream({
    head: head.map(event),
    deltas: mapDeltas(output.deltas, (delta, index) =>
      event({ type: output.deltaType, ...output.position, delta }, head.length + index),
    ),
    tail: () => {
      const text = closingText(output.deltas);
      const tail = [
        ...output.closing(text),
        { type: 'response.output_item.done', output_index: 0, item: output.item('completed', text) },
        { type: 'response.completed', response: completed(body, call, id, output, text) },
      ];
      return tail.map((data, index) => event(data, head.length + output.deltas.count + index));
    },
  });
}
