import { makeDeltas } from '../deltas.ts';
import { json } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { describeFile } from '../multipart.ts';
import type { Form } from '../multipart.ts';
import { CREATED } from '../text.ts';
import { formCall, jsonCall } from './openai-request.ts';

/** A transparent PNG of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

/** POST /v1/images/generations. */
export const imageGenerations = jsonCall(['prompt'], (body) =>
  images(Number(body.n ?? 1), String(body.prompt)),
);

/** POST /v1/images/edits. */
export const imageEdits = formCall(['image', 'prompt'], imagesFromForm);

/** POST /v1/images/variations. */
export const imageVariations = formCall(['image'], imagesFromForm);

function imagesFromForm(form: Form): Reply {
  return images(Number(form.fields.get('n') ?? 1), form.files.map(describeFile).join(' '));
}

function images(count: number, revisedPrompt: string): Reply {
  return json({
    created: CREATED,
    background: 'opaque',
    output_format: 'png',
    quality: 'low',
    size: '1024x1024',
    data: Array.from({ length: count }, () => ({ b64_json: PIXEL, revised_prompt: revisedPrompt })),
    usage: {
      input_tokens: 10,
      input_tokens_details: { image_tokens: 0, text_tokens: 10 },
      output_tokens: 272,
      total_tokens: 282,
    },
  });
}

/** POST /v1/audio/speech: bytes of every value, chunked, as many as `chunks` times `chunk-bytes` (4 × 1024). */
export const speech = jsonCall(['model', 'input', 'voice'], (body, call) => {
  const { chunks = 4, chunkBytes = 1024 } = call.behaviour;
  const format = typeof body.response_format === 'string' ? body.response_format : 'mp3';
  const piece = Buffer.alloc(chunkBytes, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  return {
    status: 200,
    headers: ['Content-Type', format === 'mp3' ? 'audio/mpeg' : `audio/${format}`],
    body: { head: [], deltas: makeDeltas(chunks, () => piece), tail: () => [] },
  };
});

/** POST /v1/audio/transcriptions and /v1/audio/translations: the text tells which file came. */
export const transcriptions = formCall(['file', 'model'], (form) => {
  const text = form.files.map(describeFile).join(' ');
  const format = form.fields.get('response_format') ?? 'json';
  if (format === 'text') {
    return {
      status: 200,
      headers: ['Content-Type', 'text/plain; charset=utf-8'],
      body: Buffer.from(`${text}\n`),
    };
  }
  if (format === 'verbose_json') {
    return json({ task: 'transcribe', language: 'english', duration: 1, text, segments: [] });
  }
  return json({ text, usage: { type: 'duration', seconds: 1 } });
});
