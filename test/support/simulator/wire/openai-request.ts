import { isObject } from '../reply.ts';
import type { Call, Endpoint, Json, Reply } from '../reply.ts';
import { readForm } from '../multipart.ts';
import type { Form } from '../multipart.ts';
import { openaiError, unknownModel } from './openai-errors.ts';

/** A model that neither provider has. */
export const NO_SUCH_MODEL = 'no-such-model';

/** The endpoint of a JSON call: refuses what OpenAI would refuse before it looks closer. */
export function jsonCall(required: readonly string[], answer: (body: Json, call: Call) => Reply): Endpoint {
  return (call) => {
    const type = call.headers['content-type'] ?? '';
    if (!/^application\/json\b/i.test(type)) {
      return openaiError(400, `Invalid Content-Type header (${type}), expected application/json.`, {
        code: 'unsupported_content_type',
      });
    }
    const body = parse(call.body);
    if (body === undefined) {
      return openaiError(400, 'We could not parse the JSON body of your request.');
    }
    return missing(required, (name) => body[name] !== undefined, body.model) ?? answer(body, call);
  };
}

/** The endpoint of a multipart call. */
export function formCall(required: readonly string[], answer: (form: Form, call: Call) => Reply): Endpoint {
  return async (call) => {
    let form: Form;
    try {
      form = await readForm(call);
    } catch (error) {
      return openaiError(400, `Could not parse multipart form: ${String(error)}`);
    }
    const has = (name: string): boolean =>
      form.fields.has(name) || form.files.some((file) => file.field.replace(/\[\]$/, '') === name);
    return missing(required, has, form.fields.get('model')) ?? answer(form, call);
  };
}

function parse(body: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function missing(
  required: readonly string[],
  has: (name: string) => boolean,
  model: unknown,
): Reply | undefined {
  const absent = required.find((name) => !has(name));
  if (absent === 'model') return openaiError(400, 'you must provide a model parameter');
  if (absent !== undefined) {
    return openaiError(400, `Missing required parameter: '${absent}'.`, {
      param: absent,
      code: 'missing_required_parameter',
    });
  }
  return model === NO_SUCH_MODEL ? unknownModel(NO_SUCH_MODEL) : undefined;
}
