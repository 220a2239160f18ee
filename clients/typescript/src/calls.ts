import { errorOf, asObject, parse } from './answers.ts';
import { streamEvents, type StreamEvent } from './completeness.ts';
import { IncompleteError, LicensifyError } from './errors.ts';
import type { KeptActivation } from './activation.ts';
import { exchange } from './exchange.ts';
import type { Keys } from './keys.ts';
import { encoded } from './signatures.ts';
import { targetOf, type Signer } from './signer.ts';
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
  readonly #signer: Signer;

  constructor(transport: Transport, keys: Keys, signer: Signer) {
    this.#transport = transport;
    this.#keys = keys;
    this.#signer = signer;
  }

  /** A good answer, its body still to be read. */
  async request(
    provider: Provider,
    path: string,
    body: unknown,
    options: CallOptions = {},
  ): Promise<Response> {
    const { signal, headers } = options;
    const json = typeof body === 'string' ? body : JSON.stringify(body);
    const target = `/proxy/${provider}/${path.replace(/^\/+/, '')}`;
    const response = await exchange(this.#keys, this.#signer, {
      signal,
      send: (kept) =>
        this.#transport.send(target, () => this.#enveloped(kept, { provider, target, json, headers }), {
          signal,
        }),
      isRepeatable: () => true,
    });
    if (!response.ok) throw errorOf(response, await readText(response, signal));
    return response;
  }

  /** A request in its envelope, signed where that is asked for. */
  async #enveloped(
    kept: KeptActivation,
    request: { provider: Provider; target: string; json: string; headers: CallOptions['headers'] },
  ): Promise<RequestInit> {
    const { provider, json, headers } = request;
    const { proxy_key, hardware_id } = kept;
    const fields = await this.#signer.fields(kept, provider, json);
    const head = JSON.stringify({ proxy_key, provider, hardware_id, ...fields });
    // The body reaches the provider as it stands here, byte for byte.
    const body = `${head.slice(0, -1)},"body":${json}}`;
    const { url } = this.#transport;
    const target = targetOf(url + request.target, url);
    const proof = await this.#signer.proof(kept, { method: 'POST', target, body: encoded(body) });
    return { method: 'POST', headers: { ...headers, 'content-type': 'application/json', ...proof }, body };
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
