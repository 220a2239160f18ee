import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Provider } from './providers.ts';

/** Outgoing header fields; several values stand for several lines. */
export type HeaderFields = Record<string, string | string[]>;

/** RFC 9110 §7.6.1, and what clients send in its spirit. They concern one connection and are not passed on. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/** Whose key a request carries is decided here; what else looks like a credential is not ours to pass on. */
const credentials = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie'];

/** Where a request came from is not the provider's business; which of our organizations pays is not the client's. */
const aboutTheWay = ['host', 'forwarded', 'x-real-ip', 'via', 'expect', 'accept-encoding'];
const aboutOurAccount = ['openai-organization', 'openai-project'];

const notToProvider = new Set([...hopByHop, ...credentials, ...aboutTheWay, ...aboutOurAccount]);

const notToClient = new Set([
  ...hopByHop,
  'set-cookie',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
  'anthropic-workspace-id',
]);

/** The limits of our own account; the client has limits of ours. */
const isProvidersRateLimit = /^(?:x|anthropic)-ratelimit-/;

/**
 * The headers that go to the provider: the client's, less what concerns only this hop, less every credential and
 * whatever else holds the request's own proxy key, plus the real key (contract §4.2).
 * @param options.body the length of the body, where it is known already; else the client's framing stands
 */
export function headersForProvider(
  request: Pick<IncomingMessage, 'headers'>,
  options: { provider: Provider; realKey: string; proxyKey: string; bodyLength?: number | undefined },
): HeaderFields {
  const { provider, realKey, proxyKey, bodyLength } = options;
  const named = connectionOptions(request.headers.connection);
  const keyInLowerCase = proxyKey.toLowerCase();
  const headers: HeaderFields = {};
  for (const name in request.headers) {
    const value = request.headers[name];
    if (value === undefined || notToProvider.has(name) || name.startsWith('x-forwarded-')) continue;
    if (named?.has(name) === true && name !== 'content-length') continue;
    if (holds(value, proxyKey) || name.includes(keyInLowerCase)) continue;
    headers[name] = value;
  }
  headers['accept-encoding'] = 'identity';
  for (const [name, value] of provider.defaultHeaders) headers[name] ??= value;
  const [keyName, keyValue] = provider.keyHeader(realKey);
  headers[keyName] = keyValue;
  if (bodyLength !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(bodyLength);
  }
  return headers;
}

/** The headers that go to the client: the provider's, less what concerns our account or only this hop. */
export function headersForClient(fromProvider: IncomingHttpHeaders): HeaderFields {
  const named = connectionOptions(fromProvider.connection);
  const headers: HeaderFields = {};
  for (const name in fromProvider) {
    const value = fromProvider[name];
    if (value === undefined || notToClient.has(name) || isProvidersRateLimit.test(name)) continue;
    if (named?.has(name) === true && name !== 'content-length') continue;
    headers[name] = value;
  }
  if (isEventStream(fromProvider)) headers['x-accel-buffering'] = 'no';
  return headers;
}

/** Whether an answer is a stream of server-sent events. */
export function isEventStream(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true;
}

/**
 * A query string without the parameters that hold the request's proxy key, plainly or percent-encoded; everything else
 * stays as it was sent.
 * @param query with its question mark, or ''
 */
export function queryForProvider(query: string, proxyKey: string): string {
  if (query === '') return '';
  const kept = query
    .slice(1)
    .split('&')
    .filter((parameter) => !holds(parameter, proxyKey) && !holds(decodeLoosely(parameter), proxyKey));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/** The fields that a `Connection` header names besides itself. */
function connectionOptions(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.split(',').map((option) => option.trim().toLowerCase()));
}

function holds(value: string | string[], secret: string): boolean {
  return typeof value === 'string' ? value.includes(secret) : value.some((line) => line.includes(secret));
}

/** Percent-decoding that leaves what is malformed as it is. */
function decodeLoosely(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
