import type { IncomingHttpHeaders } from 'node:http';
import type { Behaviour } from './behaviour.ts';
import { bearerOf } from './keys.ts';
import type { KeyRing } from './keys.ts';
import type { Call, Endpoint, Provider, Reply } from './reply.ts';
import { redirect } from './redirect.ts';
import { anthropicEndpoint } from './wire/anthropic-endpoints.ts';
import { anthropicStatus, refuseAnthropic } from './wire/anthropic-errors.ts';
import { anthropicHeaders } from './wire/anthropic-headers.ts';
import { openaiEndpoint } from './wire/openai-endpoints.ts';
import { openaiStatus, refuseOpenai } from './wire/openai-errors.ts';
import { openaiHeaders } from './wire/openai-headers.ts';
import { normalisePath } from './path.ts';

/** What the router reads of a request. */
interface Incoming {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A reply with the provider's usual headers. */
export interface Answer {
  readonly reply: Reply;
  readonly headers: string[];
}

interface Wire {
  headers(requestId: string): string[];
  refuse(call: Call, keys: KeyRing): Reply | undefined;
  status(call: Call, status: number): Reply;
  endpoint(call: Call): Endpoint;
}

const WIRES: Record<Provider, Wire> = {
  openai: { headers: openaiHeaders, refuse: refuseOpenai, status: openaiStatus, endpoint: openaiEndpoint },
  anthropic: {
    headers: anthropicHeaders,
    refuse: refuseAnthropic,
    status: anthropicStatus,
    endpoint: anthropicEndpoint,
  },
};

const MEMORY_LIMIT = 1000;

/** Decides what a request is answered: by the simulated status, by authentication, or by its endpoint. */
export class Router {
  readonly #keys: KeyRing;
  readonly #memory: Map<string, Reply> | undefined;
  #count = 0;

  constructor(keys: KeyRing, { remember }: { remember: boolean }) {
    this.#keys = keys;
    this.#memory = remember ? new Map() : undefined;
  }

  /** The answer; not a promise unless the endpoint needs one. */
  answer(request: Incoming, behaviour: Behaviour | undefined): Answer | Promise<Answer> {
    const provider = providerOf(request);
    const wire = WIRES[provider];
    const call = this.#makeCall(request, provider, behaviour);
    const withHeaders = (reply: Reply): Answer => ({
      reply,
      headers: [...wire.headers(call.requestId), ...reply.headers, ...retryAfter(behaviour)],
    });
    const refusal = wire.refuse(call, this.#keys);
    if (refusal !== undefined) return withHeaders(refusal);
    const reply = behaviour === undefined ? this.#recall(call, wire) : simulate(call, wire, behaviour);
    return reply instanceof Promise ? reply.then(withHeaders) : withHeaders(reply);
  }

  #makeCall(request: Incoming, provider: Provider, behaviour: Behaviour | undefined): Call {
    this.#count += 1;
    return {
      provider,
      method: request.method,
      path: normalisePath(request.url),
      headers: request.headers,
      body: request.body,
      behaviour: behaviour ?? {},
      requestId: `req_${this.#count.toString(16).padStart(provider === 'openai' ? 32 : 24, '0')}`,
    };
  }

  /** Equal requests get equal replies, so a simulator that records nothing makes each of them once. */
  #recall(call: Call, wire: Wire): Reply | Promise<Reply> {
    const memory = this.#memory;
    if (memory === undefined || call.body.length > 65_536) return wire.endpoint(call)(call);
    const key = `${call.provider} ${call.method} ${call.path}\n${call.body.toString('latin1')}`;
    const known = memory.get(key);
    if (known !== undefined) return known;
    const reply = wire.endpoint(call)(call);
    if (!(reply instanceof Promise) && reply.status === 200 && reply.body instanceof Buffer) {
      if (memory.size >= MEMORY_LIMIT) memory.clear();
      memory.set(key, reply);
    }
    return reply;
  }
}

/** Anthropic's calls have paths of their own; the shared ones (`/v1/models`) are told apart by the headers. */
function providerOf({ url, headers }: Incoming): Provider {
  if (/^\/v1\/(messages|complete)(?=[/?]|$)/.test(url)) return 'anthropic';
  if (headers['anthropic-version'] !== undefined || headers['x-api-key'] !== undefined) return 'anthropic';
  return bearerOf(headers)?.startsWith('sk-ant-') === true ? 'anthropic' : 'openai';
}

function simulate(call: Call, wire: Wire, behaviour: Behaviour): Reply | Promise<Reply> {
  const { status } = behaviour;
  if (status !== undefined && status >= 400) return wire.status(call, status);
  if (status !== undefined && status >= 300) return redirect(status, behaviour.location);
  const reply = behaviour.earlyResponse === true ? earlyReply(call) : wire.endpoint(call)(call);
  if (status === undefined) return reply;
  return reply instanceof Promise ? reply.then((made) => ({ ...made, status })) : { ...reply, status };
}

/** What can be said without having read the body. */
function earlyReply(call: Call): Reply {
  const body = Buffer.from(JSON.stringify({ id: `early_${call.requestId}`, object: 'early.response' }));
  return { status: 200, headers: ['Content-Type', 'application/json'], body };
}

function retryAfter(behaviour: Behaviour | undefined): string[] {
  return behaviour?.retryAfter === undefined ? [] : ['Retry-After', String(behaviour.retryAfter)];
}
