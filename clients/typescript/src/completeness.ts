import { asObject, firstText, parse } from './answers.ts';
import { IncompleteError, ProviderError } from './errors.ts';
import { readEvents } from './events.ts';

/** An event of a provider's stream: its name, and its data parsed. */
export interface StreamEvent {
  event: string;
  // What a provider's event holds is the provider's to document.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  data: any;
}

/** The types of events that end a stream, as the providers document them; chat completions end with `[DONE]`. */
const endings = new Set([
  'message_stop',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'image_generation.completed',
  'image_edit.completed',
  'speech.audio.done',
  'transcript.text.done',
]);

/**
 * A provider's stream as parsed events. It ends only where the provider said that it is complete.
 * @throws IncompleteError where it breaks off, however that looks on the wire; ProviderError for an error in it
 */
export async function* streamEvents(
  { body, status, headers }: Response,
  signal?: AbortSignal,
): AsyncGenerator<StreamEvent, void> {
  const requestId = headers.get('x-licensify-request-id') ?? undefined;
  let isComplete = false;
  try {
    for await (const { event, data } of readEvents(body ?? new ReadableStream({ start: (c) => c.close() }))) {
      if (data === '[DONE]') return;
      const parsed = parse(data);
      const object = asObject(parsed);
      const error = errorIn(object);
      if (error !== undefined) {
        throw new ProviderError(firstText(error.message, data), {
          status,
          code: firstText(error.code, error.type, 'error'),
          requestId,
        });
      }
      isComplete ||= endsStream(object);
      yield { event, data: parsed ?? data };
    }
  } catch (cause) {
    if (cause instanceof ProviderError) throw cause;
    signal?.throwIfAborted();
    throw broken(requestId, status, cause);
  }
  if (!isComplete) throw broken(requestId, status);
}

/** Chat completions send `{"error": {…}}`, messages the same with a type, responses the error itself with a type. */
function errorIn(data: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (data?.type === 'error') return asObject(data.error) ?? data;
  return data?.type === undefined ? asObject(data?.error) : undefined;
}

function endsStream(data: Record<string, unknown> | undefined): boolean {
  if (data === undefined) return false;
  if (data.type === 'completion') return data.stop_reason != null;
  return typeof data.type === 'string' && endings.has(data.type);
}

function broken(requestId: string | undefined, status: number, cause?: unknown): IncompleteError {
  return new IncompleteError('The stream broke off before its end', {
    status,
    code: 'incomplete',
    requestId,
    cause,
  });
}
