import type { IncomingMessage } from 'node:http';
import { PROXY_KEY_LENGTH } from '../key-forms.ts';
import { indexOfName, valueIn, type HeaderList } from '../header-list.ts';
import type { KeySearch } from './key-search.ts';
import type { Provider } from './providers.ts';

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

/** How a client proves to us that a request is its own (docs/signing.md): of an envelope, not of what the provider gets. */
const proofs = [
  'signature',
  'signature-input',
  'content-digest',
  'x-licensify-timestamp',
  'x-licensify-signature',
];

const notToProvider = new Set([...hopByHop, ...credentials, ...aboutTheWay, ...aboutOurAccount, ...proofs]);

const notToClient = new Set([
  ...hopByHop,
  'set-cookie',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
  'anthropic-workspace-id',
]);

/** Names arrive in lower case: a key is no longer itself in one, but still nobody else's business. */
const LOWER_CASE_KEY = /px_[0-9a-z]{40}/;

function holdsLowerCaseKey(name: string): boolean {
  return name.length >= PROXY_KEY_LENGTH && LOWER_CASE_KEY.test(name);
}

/** The limits of our own account, and which browsers may read: there the client has answers of ours. */
const oursToSay = ['x-ratelimit-', 'anthropic-ratelimit-', 'access-control-', 'x-licensify-'];

function isOursToSay(name: string): boolean {
  const first = name.charCodeAt(0);
  if (first !== 0x61 && first !== 0x78) return false; // 'a', 'x': most begin otherwise
  return oursToSay.some((prefix) => name.startsWith(prefix));
}

/**
 * The headers that go to the provider: the client's, less what concerns only this hop, less every credential and
 * whatever else holds a proxy key, plus the real key (contract §4.2).
 * @param options.contentType of a body that came in an envelope: what the client says of its content is said of that
 */
export function headersForProvider(
  request: Pick<IncomingMessage, 'headers'>,
  options: {
    provider: Provider;
    realKey: string;
    keys: KeySearch;
    contentType?: string | undefined;
  },
): HeaderList {
  const { provider, realKey, keys, contentType } = options;
  const named = connectionOptions(request.headers.connection);
  const headers: HeaderList = [];
  for (const name in request.headers) {
    const value = request.headers[name];
    if (value === undefined || notToProvider.has(name) || name.startsWith('x-forwarded-')) continue;
    if (named?.has(name) === true && name !== 'content-length') continue;
    if (contentType !== undefined && name.startsWith('content-')) continue;
    if (holdsKey(value, keys) || holdsLowerCaseKey(name)) continue;
    if (typeof value === 'string') headers.push(name, value);
    else for (const line of value) headers.push(name, line);
  }
  for (const [name, value] of provider.defaultHeaders) {
    if (indexOfName(headers, name) < 0) headers.push(name, value);
  }
  headers.push('accept-encoding', 'identity', ...provider.keyHeader(realKey));
  if (contentType !== undefined) headers.push('content-type', contentType);
  return headers;
}

/** Node reads these once, whatever a provider repeats (https://nodejs.org/api/http.html#messageheaders). */
const single = new Set(['content-type', 'content-length', 'etag', 'expires', 'last-modified', 'location']);
for (const name of ['age', 'from', 'retry-after', 'server', 'user-agent']) single.add(name);

/**
 * Leaves of a provider's headers those that go to the client: not what concerns our account or only this hop. Lines of
 * one name become one, as node:http joins them. The list itself is changed: to make another for each answer has its
 * price (docs/performance.md).
 */
export function keepHeadersForClient(headers: HeaderList, isStream: boolean): void {
  const named = connectionOptions(valuesIn(headers, 'connection'));
  let kept = 0;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (notToClient.has(name) || isOursToSay(name)) continue;
    if (named?.has(name) === true && name !== 'content-length') continue;
    if (isStream && name === UNBUFFERED) continue;
    const value = headers[at + 1] ?? '';
    const before = indexOfName(headers, name, kept);
    if (before < 0) {
      headers[kept] = name;
      headers[kept + 1] = value;
      kept += 2;
    } else if (!single.has(name)) headers[before + 1] = `${headers[before + 1] ?? ''}, ${value}`;
  }
  headers.length = kept;
  if (isStream) headers.push(UNBUFFERED, 'no');
}

/** What nginx in front of us asks whether it may hold a stream back. */
const UNBUFFERED = 'x-accel-buffering';

/** Of all lines of a name. */
function valuesIn(list: Readonly<HeaderList>, name: string): string | undefined {
  let values = valueIn(list, name);
  if (values === undefined) return undefined;
  for (let at = indexOfName(list, name) + 2; at < list.length; at += 2)
    if (list[at] === name) values += `, ${list[at + 1] ?? ''}`;
  return values;
}

/** Whether an answer is a stream of server-sent events. */
export function isEventStream(headers: Readonly<HeaderList>): boolean {
  return valueIn(headers, 'content-type')?.startsWith('text/event-stream') === true;
}

/**
 * A query string without the parameters that hold a proxy key, plainly or percent-encoded, be it several times over;
 * everything else stays as it was sent.
 * @param query with its question mark, or ''
 */
export function queryForProvider(query: string, keys: KeySearch): string {
  if (query === '') return '';
  const kept = query
    .slice(1)
    .split('&')
    .filter((parameter) => !keys.inText(decodeLoosely(parameter)));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/** The fields that a `Connection` header names besides itself. */
function connectionOptions(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.split(',').map((option) => option.trim().toLowerCase()));
}

function holdsKey(value: string | string[], keys: KeySearch): boolean {
  return typeof value === 'string' ? keys.inText(value) : value.some((line) => keys.inText(line));
}

/** More often than anybody decodes; without a bound, `%25252525…` would cost a pass for each of its digits. */
const MAX_DECODINGS = 4;

/** ASCII percent-decoded until nothing changes any more; what is malformed stays as it is. */
function decodeLoosely(text: string): string {
  let decoded = text;
  for (let pass = 0; pass < MAX_DECODINGS && decoded.includes('%'); pass += 1) {
    decoded = decoded.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
  }
  return decoded;
}
