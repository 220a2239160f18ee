import assert from 'node:assert/strict';
import http, { type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { TestGateway } from './gateway.ts';

/** Who reads an error: an SDK of one of the providers, or a client of our own. */
export const SHAPES = ['openai', 'anthropic', 'envelope'] as const;
export type Shape = (typeof SHAPES)[number];

interface Asked {
  proxyKey: string;
  path?: string;
  hardwareId?: string;
  /** The provider that the envelope names, where it is not the URL's. */
  envelopeSays?: string;
  simulate?: string;
  contentType?: string;
  rawBody?: string;
  method?: string;
  headers?: Record<string, string>;
  chunked?: boolean;
}

export interface ErrorAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** A request in the form that each reader sends: drop-in to its own provider, or an envelope to OpenAI. */
export async function askProvider(
  { url }: Pick<TestGateway, 'url'>,
  shape: Shape,
  asked: Asked,
): Promise<ErrorAnswer> {
  const provider = shape === 'anthropic' ? 'anthropic' : 'openai';
  const path = asked.path ?? (provider === 'openai' ? '/v1/chat/completions' : '/v1/messages');
  const body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] };
  const sent =
    shape === 'envelope'
      ? {
          proxy_key: asked.proxyKey,
          provider: asked.envelopeSays ?? provider,
          ...(asked.hardwareId !== undefined && { hardware_id: asked.hardwareId }),
          body,
        }
      : body;
  const request = http.request(`${url}/proxy/${provider}${path}`, {
    method: asked.method ?? 'POST',
    agent: false,
    headers: {
      'content-type': asked.contentType ?? 'application/json',
      ...(shape === 'openai' && { authorization: `Bearer ${asked.proxyKey}` }),
      ...(shape === 'anthropic' && { 'x-api-key': asked.proxyKey }),
      ...(asked.simulate !== undefined && { 'x-simulate': asked.simulate }),
      ...asked.headers,
      ...(asked.chunked === true && { 'transfer-encoding': 'chunked' }),
    },
  });
  request.end(asked.rawBody ?? JSON.stringify(sent));
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  const content = await text(answer);
  return {
    status: answer.statusCode ?? 0,
    headers: new Headers(
      Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]),
    ),
    body: content.startsWith('{') ? (JSON.parse(content) as unknown) : content,
  };
}

/** Anthropic's types by status: https://docs.anthropic.com/en/api/errors */
const anthropicTypes: Record<number, string | undefined> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  500: 'api_error',
  502: 'api_error',
  503: 'api_error',
  504: 'api_error',
};

/** Asserts status, content type, code and sentence, and that the body has the reader's shape and nothing else. */
export function assertErrorShape(
  { status, headers, body }: ErrorAnswer,
  shape: Shape,
  expected: { code: string; status: number; message: string | RegExp },
): void {
  assert.equal(status, expected.status, JSON.stringify(body));
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  const message = messageOf(body);
  if (typeof expected.message === 'string') assert.equal(message, expected.message);
  else assert.match(message, expected.message);
  const { code } = expected;
  const isQuota = code === 'rate_limit_exceeded' || code === 'monthly_limit_exceeded';
  if (shape === 'anthropic') {
    const type = anthropicTypes[status] ?? 'invalid_request_error';
    assert.deepEqual(body, { type: 'error', error: { type, message } });
  } else if (shape === 'openai') {
    const { type } = (body as { error: { type: unknown } }).error;
    assert.ok(isQuota ? type === 'rate_limit_exceeded' : typeof type === 'string' && /^[a-z_]+$/.test(type));
    assert.deepEqual(body, { error: { message, type, param: null, code } });
  } else if (isQuota) {
    assert.deepEqual(body, { error: { message, type: 'rate_limit_exceeded', code } });
  } else {
    assert.deepEqual(body, { error: message, code });
  }
}

function messageOf(body: unknown): string {
  const { error } = body as { error: string | { message: string } };
  return typeof error === 'string' ? error : error.message;
}
