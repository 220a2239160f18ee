import { errorOf, asObject, parse } from './answers.ts';
import { streamEvents, type StreamEvent } from './completeness.ts';
import { IncompleteError, LicensifyError } from './errors.ts';
import type { Keys } from './keys.ts';
import { readText, type Transport } from './transport.ts';

export type Provider = 'openai' | 'anthropic';

export interface CallOptions {
  signal?: AbortSignal;
  /** More headers for the provider, such as `anthropic-beta`. */
  headers?: Readonly<Record<string, string>>;
}

/** Calls of providers through the gateway, in envelopes. */
export class Calls {
  readonly #transport: Transport;
  readonly #keys: Keys;

  constructor(transport: Transport, keys: Keys) {
    this.#transport = transport;
    this.#keys = keys;
  }

  /** A good answer, its body still to be read. A key that is refused is renewed, once. */
  async request(
    provider: Provider,
    path: string,
    body: unknown,
    options: CallOptions = {},
  ): Promise<Response> {
    const { signal, headers } = options;
    const json = typeof body === 'string' ? body : JSON.stringify(body);
    const target = `/proxy/${provider}/${path.replace(/^\/+/, '')}`;
    const send = ({
      proxy_key,
      hardware_id,
    }: {
      proxy_key: string;
      hardware_id: string;
    }): Promise<Response> => {
      const head = JSON.stringify({ proxy_key, provider, hardware_id });
      return this.#transport.send(
        target,
        {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          // The body reaches the provider as it stands here, byte for byte.
          body: `${head.slice(0, -1)},"body":${json}}`,
        },
        { signal },
      );
    };
    const kept = await this.#keys.current(signal);
    let response = await send(kept);
    // Only the gateway answers 401: a provider's is 502 to us.
    if (response.status === 401) {
      await response.body?.cancel();
      response = await send(await this.#keys.renew(kept.proxy_key, signal));
    }
    if (!response.ok) throw errorOf(response, await readText(response, signal));
    return response;
  }

  /** The answer's JSON. @throws IncompleteError where it breaks off */
  async call(provider: Provider, path: string, body: unknown, options: CallOptions = {}): Promise<unknown> {
    const response = await this.request(provider, path, body, options);
    const text = await readText(response, options.signal);
    const answer = parse(text);
    if (answer !== undefined) return answer;
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const message = isJson
      ? 'The answer broke off before its end'
      : 'The answer is no JSON: use request() for audio, images and text';
    const details = { status: response.status, code: isJson ? 'incomplete' : 'not_json' };
    throw isJson ? new IncompleteError(message, details) : new LicensifyError(message, details);
  }

  /** The events of a streamed answer as they come; `body` has to ask for a stream. */
  async *stream(
    provider: Provider,
    path: string,
    body: unknown,
    options: CallOptions = {},
  ): AsyncGenerator<StreamEvent, void> {
    const response = await this.request(provider, path, body, options);
    if (response.headers.get('content-type')?.includes('text/event-stream') !== true) {
      await response.body?.cancel();
      throw new LicensifyError('The answer is no stream: the body has to hold "stream": true', {
        status: response.status,
        code: 'not_a_stream',
      });
    }
    yield* streamEvents(response, options.signal);
  }
}

export interface ChatRequest {
  /** Default: openai. */
  provider?: Provider;
  model: string;
  messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[];
  /** Default: the provider's; 1024 with Anthropic, which has none. */
  maxTokens?: number;
}

/** The path and the body of a streamed chat, as the provider wants it. */
export function chatCall(chat: ChatRequest): { provider: Provider; path: string; body: object } {
  const { provider = 'openai', model, messages, maxTokens } = chat;
  if (provider === 'openai') {
    const limit = maxTokens !== undefined && { max_completion_tokens: maxTokens };
    return { provider, path: 'v1/chat/completions', body: { model, messages, ...limit, stream: true } };
  }
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const body = {
    model,
    max_tokens: maxTokens ?? 1_024,
    ...(system.length > 0 && { system: system.join('\n\n') }),
    messages: messages.filter(({ role }) => role !== 'system'),
    stream: true,
  };
  return { provider, path: 'v1/messages', body };
}

/** The text that an event of a chat brings; '' for those that bring none. */
export function textOf({ data }: StreamEvent): string {
  const event = asObject(data);
  const choices: unknown = event?.choices;
  const first = Array.isArray(choices) ? asObject(choices[0]) : undefined;
  const delta = asObject(first?.delta ?? event?.delta);
  const text = delta?.content ?? delta?.text;
  return typeof text === 'string' ? text : '';
}
