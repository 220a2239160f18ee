import { createHash } from 'node:crypto';
import { json } from '../reply.ts';
import { countTokens, digest } from '../text.ts';
import { jsonCall } from './openai-request.ts';

/** POST /v1/embeddings, as floats or as base64 of little-endian float32. */
export const embeddings = jsonCall(['model', 'input'], (body, call) => {
  const { input, dimensions, encoding_format: format } = body;
  // A list of numbers is one text in tokens, a list of strings or of lists several texts.
  const inputs: unknown[] = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  const size = typeof dimensions === 'number' ? dimensions : 1536;
  const tokens = countTokens(call.body);
  return json({
    object: 'list',
    data: inputs.map((text, index) => {
      const vector = vectorOf(JSON.stringify(text), size);
      const embedding =
        format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : Array.from(vector);
      return { object: 'embedding', index, embedding };
    }),
    model: body.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
});

/** A deterministic vector of about unit length. */
function vectorOf(text: string, size: number): Float32Array {
  const bytes = createHash('shake256', { outputLength: size }).update(text).digest();
  const scale = Math.sqrt(3 / size) / 128;
  return Float32Array.from(bytes, (byte) => (byte - 127.5) * scale);
}

const CATEGORIES = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/instructions',
  'self-harm/intent',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
];

/** POST /v1/moderations; flags whatever says "violence". */
export const moderations = jsonCall(['input'], (body, call) => {
  const inputs: unknown[] = Array.isArray(body.input) ? body.input : [body.input];
  const each = <T>(value: (category: string) => T): Record<string, T> =>
    Object.fromEntries(CATEGORIES.map((category) => [category, value(category)]));
  return json({
    id: `modr-${digest(call.body)}`,
    model: body.model ?? 'omni-moderation-latest',
    results: inputs.map((input) => {
      const flagged = JSON.stringify(input).includes('violence');
      const isFlagged = (category: string): boolean => flagged && category === 'violence';
      return {
        flagged,
        categories: each(isFlagged),
        category_scores: each((category) => (isFlagged(category) ? 0.97 : 0.0001)),
        category_applied_input_types: each(() => ['text']),
      };
    }),
  });
});
