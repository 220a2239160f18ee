import { isObject } from '../reply.ts';
import type { Call, Endpoint, Json, Reply } from '../reply.ts';
import { anthropicError } from './anthropic-errors.ts';

const SAMPLING = ['temperature', 'top_p', 'top_k'];

/** The endpoint of a JSON call: refuses what Anthropic would refuse before it looks closer. */
export function anthropicCall(
  required: readonly string[],
  answer: (body: Json, call: Call) => Reply,
): Endpoint {
  return (call) => {
    const body = parse(call);
    if (!isObject(body)) {
      return anthropicError(call, 400, 'The request body is not valid JSON: expected an object');
    }
    const absent = required.find((name) => body[name] === undefined);
    if (absent !== undefined) return anthropicError(call, 400, `${absent}: Field required`);
    if (body.model === 'no-such-model') return anthropicError(call, 404, 'model: no-such-model');
    // Removed in API version 2026-10-21, which the current SDKs ask for.
    const removed = SAMPLING.find((name) => body[name] !== undefined);
    if (removed !== undefined && call.headers['anthropic-version'] === '2026-10-21') {
      return anthropicError(call, 400, `${removed}: Extra inputs are not permitted`);
    }
    return answer(body, call);
  };
}

function parse(call: Call): unknown {
  try {
    return JSON.parse(call.body.toString()) as unknown;
  } catch {
    return undefined;
  }
}
