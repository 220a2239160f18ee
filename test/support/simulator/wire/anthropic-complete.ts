import { mapDeltas, textDeltas, wholeText } from '../deltas.ts';
import { eventStream, json, sseEvent } from '../reply.ts';
import { digest, replyTo } from '../text.ts';
import { anthropicCall } from './anthropic-request.ts';

/** POST /v1/complete, the older text endpoint, which the current SDK has no method for. */
export const complete = anthropicCall(['model', 'prompt', 'max_tokens_to_sample'], (body, call) => {
  const prompt = String(body.prompt)
    .replace(/^\s*Human:\s*/, '')
    .replace(/\s*Assistant:\s*$/, '');
  const pieces = textDeltas(replyTo(prompt), call.behaviour);
  const completion = (text: string, stopReason: string | null): object => ({
    type: 'completion',
    id: `compl_${digest(call.body)}`,
    completion: text,
    stop_reason: stopReason,
    model: body.model,
    stop: stopReason === null ? null : '\n\nHuman:',
    log_id: `compl_${digest(call.body)}`,
  });
  if (body.stream !== true) return json(completion(wholeText(pieces), 'stop_sequence'));
  return eventStream({
    head: [sseEvent({ type: 'ping' }, 'ping')],
    deltas: mapDeltas(pieces, (text) => sseEvent(completion(text, null), 'completion')),
    tail: () => [sseEvent(completion('', 'stop_sequence'), 'completion')],
  });
});
