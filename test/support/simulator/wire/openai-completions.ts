import { mapDeltas, textDeltas, wholeText } from '../deltas.ts';
import { eventStream, json, sseEvent } from '../reply.ts';
import { countTokens, CREATED, digest, replyTo } from '../text.ts';
import { jsonCall } from './openai-request.ts';

/** POST /v1/completions, the older text endpoint. */
export const completions = jsonCall(['model', 'prompt'], (body, call) => {
  const prompt = String(body.prompt);
  const pieces = textDeltas(replyTo(prompt), call.behaviour);
  const envelope = {
    id: `cmpl-${digest(call.body)}`,
    object: 'text_completion',
    created: CREATED,
    model: body.model,
  };
  const choice = (text: string, finish: string | null): object[] => [
    { text, index: 0, logprobs: null, finish_reason: finish },
  ];
  if (body.stream === true) {
    return eventStream({
      head: [],
      deltas: mapDeltas(pieces, (text) => sseEvent({ ...envelope, choices: choice(text, null) })),
      tail: () => [sseEvent({ ...envelope, choices: choice('', 'stop') }), 'data: [DONE]\n\n'],
    });
  }
  const text = wholeText(pieces);
  const usage = { prompt_tokens: countTokens(prompt), completion_tokens: countTokens(text) };
  return json({
    ...envelope,
    choices: choice(text, 'stop'),
    usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens },
  });
});
