import { json } from '../reply.ts';
import type { Call, Endpoint } from '../reply.ts';
import { chatCompletions } from './openai-chat.ts';
import { completions } from './openai-completions.ts';
import { embeddings, moderations } from './openai-embeddings.ts';
import { openaiError, unknownModel, unknownUrl } from './openai-errors.ts';
import { imageEdits, imageGenerations, imageVariations, speech, transcriptions } from './openai-media.ts';
import { NO_SUCH_MODEL } from './openai-request.ts';
import { responses } from './openai-responses.ts';
import { isStateful, statefulAnswer } from './stateful.ts';

const MODELS = ['gpt-4o-mini', 'gpt-5', 'text-embedding-3-small', 'whisper-1', 'tts-1', 'gpt-image-1'];

const POSTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': chatCompletions,
  '/v1/completions': completions,
  '/v1/responses': responses,
  '/v1/embeddings': embeddings,
  '/v1/moderations': moderations,
  '/v1/images/generations': imageGenerations,
  '/v1/images/edits': imageEdits,
  '/v1/images/variations': imageVariations,
  '/v1/audio/speech': speech,
  '/v1/audio/transcriptions': transcriptions,
  '/v1/audio/translations': transcriptions,
};

/** What answers a call to OpenAI. */
export function openaiEndpoint(call: Call): Endpoint {
  const { method, path } = call;
  const post = POSTS[path];
  if (method === 'POST' && post !== undefined) return post;
  if (method === 'GET' && path === '/v1/models') return listModels;
  if (method === 'GET' && path.startsWith('/v1/models/')) return oneModel;
  if (isStateful(call)) return statefulAnswer;
  if (post === undefined) return unknownUrl;
  return () =>
    openaiError(
      405,
      `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
      { code: 'method_not_supported' },
    );
}

function modelObject(id: string): object {
  return { id, object: 'model', created: 1_715_367_049, owned_by: 'system' };
}

const listModels: Endpoint = () => json({ object: 'list', data: MODELS.map(modelObject) });

const oneModel: Endpoint = ({ path }) => {
  const id = path.slice('/v1/models/'.length);
  return id === NO_SUCH_MODEL ? unknownModel(id) : json(modelObject(id));
};
