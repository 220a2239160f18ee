import { json } from '../reply.ts';
import type { Call, Endpoint } from '../reply.ts';
import { complete } from './anthropic-complete.ts';
import { anthropicError } from './anthropic-errors.ts';
import { countMessageTokens, messages } from './anthropic-messages.ts';
import { isStateful, statefulAnswer } from './stateful.ts';

const MODELS = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'];

const POSTS: Readonly<Record<string, Endpoint>> = {
  '/v1/messages': messages,
  '/v1/messages/count_tokens': countMessageTokens,
  '/v1/complete': complete,
};

/** What answers a call to Anthropic. */
export function anthropicEndpoint(call: Call): Endpoint {
  const { method, path } = call;
  const post = POSTS[path];
  if (method === 'POST' && post !== undefined) return post;
  if (method === 'GET' && path === '/v1/models') return listModels;
  if (method === 'GET' && path.startsWith('/v1/models/')) return oneModel;
  if (isStateful(call)) return statefulAnswer;
  return () => anthropicError(call, post === undefined ? 404 : 405);
}

function modelObject(id: string): object {
  return {
    type: 'model',
    id,
    display_name: `Simulated ${id}`,
    created_at: '2026-09-01T00:00:00Z',
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    capabilities: null,
    max_input_tokens: 1_000_000,
    max_tokens: 128_000,
  };
}

const listModels: Endpoint = () =>
  json({
    data: MODELS.map(modelObject),
    has_more: false,
    first_id: MODELS[0] ?? null,
    last_id: MODELS.at(-1) ?? null,
  });

const oneModel: Endpoint = (call) => {
  const id = call.path.slice('/v1/models/'.length);
  return id === 'no-such-model' ? anthropicError(call, 404, `model: ${id}`) : json(modelObject(id));
};
