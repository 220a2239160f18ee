import type { IncomingMessage } from 'node:http';
import { withoutKeys } from '../key-forms.ts';
import type { Pieces } from '../pieces.ts';
import { announcesBody, BodyWatch, firstPiece, readBody } from '../upstream/body-watch.ts';
import { isJson, isMultipart } from '../upstream/content-type.ts';
import { readEnvelope, type Envelope } from '../upstream/envelope.ts';
import { KeySearch } from '../upstream/key-search.ts';
import { modelOf } from '../upstream/model.ts';
import { allowedPath, parseProxyTarget } from '../upstream/path-policy.ts';
import { findProvider, type Provider } from '../upstream/providers.ts';
import { refuse, type ErrorShape, type Refusal } from './errors.ts';

/** A request to a provider, read and allowed, its key not yet looked at. */
export interface ProxyCall {
  provider: Provider;
  /** Allowed by the path policy. */
  path: string;
  query: string;
  proxyKey: string;
  /** Finds what must not go to the provider: this key, and any other. */
  keys: KeySearch;
  hardwareId: string | undefined;
  /** The envelope that it came in. */
  envelope: SentEnvelope | undefined;
  /** The provider's request, where it has been read: out of an envelope, short JSON, or to be verified; else it is piped. */
  body: Pieces | undefined;
  /** Watches a body that is piped. */
  watch: BodyWatch | undefined;
  /** '' where it is not known yet, or there is none. */
  model: string;
  shape: ErrorShape;
  /** How long it took the client to send what had to be read first. Milliseconds. */
  waited: number;
}

/** What is said of an envelope beside what it carries: for whoever verifies that it was signed. */
export interface SentEnvelope extends Pick<Envelope, 'timestamp' | 'signature'> {
  /** The whole body of the HTTP request. */
  raw: Pieces;
}

export type ReadCall =
  | { ok: true; call: ProxyCall }
  | { ok: false; refusal: Refusal; shape: ErrorShape; provider?: string | undefined }
  /** The client left before its request was complete. */
  | { ok: false; refusal: undefined };

interface Addressed {
  provider: Provider;
  path: string;
  query: string;
}

/** JSON of this length is read whole before it is passed on; what is longer is piped. Bytes. */
const MOST_READ = 262_144;

const bodiless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** Reads a request under `/proxy/`: where it goes, in which of the two forms it came, and the key it presents. */
export function readCall(
  req: IncomingMessage,
  target: string,
  maxBodyBytes: number,
): ReadCall | Promise<ReadCall> {
  const presented = presentedKeys(req);
  const addressed = address(req, target);
  if ('code' in addressed) {
    const provider = findProvider(parseProxyTarget(target)?.provider ?? '')?.name;
    return {
      ok: false,
      refusal: addressed,
      shape: presented.any ? (provider ?? 'licensify') : 'licensify',
      provider,
    };
  }
  const { name } = addressed.provider;
  const refused = (refusal: Refusal, shape: ErrorShape): ReadCall => refusedCall(refusal, shape, name);
  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes) {
    return refused(refuse('body_too_large', { max: maxBodyBytes }), presented.any ? name : 'licensify');
  }
  const [proxyKey, ...others] = presented.proxyKeys;
  if (others.length > 0) {
    return refused(twoKeys(), name);
  }
  if (proxyKey !== undefined) return readDropIn(req, addressed, proxyKey, maxBodyBytes);

  if (req.method === 'POST' && isJson(req.headers['content-type'])) {
    return readEnveloped(req, addressed, maxBodyBytes, presented.any);
  }
  if (presented.any) return refused(refuse('invalid_proxy_key'), name);
  const mayBeEnvelope =
    req.method === 'POST' && !isMultipart(req.headers['content-type']) && announcesBody(req);
  return refused(refuse(mayBeEnvelope ? 'unsupported_media_type' : 'invalid_proxy_key'), 'licensify');
}

function address(req: IncomingMessage, target: string): Addressed | Refusal {
  const method = req.method ?? '';
  // A body that such a method should not have, without a length, is how a second request is smuggled past a proxy
  // that forwards the head and not the framing (CVE-2026-29057).
  const coding = req.headers['transfer-encoding'];
  if (bodiless.has(method) && coding !== undefined) return refuse('length_required', { method });
  // Any other coding would have to be undone before the body is passed on.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return refuse('invalid_request', { problem: 'The only transfer coding that is supported is "chunked"' });
  }
  const parsed = parseProxyTarget(target);
  if (parsed === undefined) return refuse('not_found', { what: 'This page' });
  const provider = findProvider(parsed.provider);
  if (provider === undefined) return refuse('unknown_provider');
  const path = allowedPath(provider, method, parsed.path);
  if (path === undefined || !/^[\x21-\x7e]*$/.test(parsed.query)) {
    return refuse('path_not_allowed', { method, path: shown(parsed.path || '/') });
  }
  return { provider, path, query: parsed.query };
}

function readDropIn(
  req: IncomingMessage,
  addressed: Addressed,
  proxyKey: string,
  maxBodyBytes: number,
): ReadCall | Promise<ReadCall> {
  const shape = addressed.provider.name;
  const keys = new KeySearch(proxyKey);
  const { provider, path, query } = addressed;
  const call: ProxyCall = {
    provider,
    path,
    query,
    proxyKey,
    keys,
    hardwareId: undefined,
    envelope: undefined,
    body: undefined,
    watch: undefined,
    model: '',
    shape,
    waited: 0,
  };
  if (!announcesBody(req)) return { ok: true, call };
  if (isJson(req.headers['content-type']) && Number(req.headers['content-length']) <= MOST_READ)
    return readShortDropIn(req, addressed, call, maxBodyBytes);
  return readLongDropIn(req, addressed, call, maxBodyBytes);
}

/** Of what is piped only the first piece is looked at before it is passed on. */
async function readLongDropIn(
  req: IncomingMessage,
  addressed: Addressed,
  call: ProxyCall,
  maxBodyBytes: number,
): Promise<ReadCall> {
  const { keys, proxyKey, provider } = call;
  const asked = performance.now();
  const first = await firstPiece(req);
  call.waited = performance.now() - asked;
  if (req.destroyed && !req.complete) return { ok: false, refusal: undefined };
  if (first === undefined) return { ok: true, call };
  if (keys.inBytes(first)) {
    // An envelope whose sender put a key into a header as well: the envelope's rules keep the keys from the provider.
    if (req.method === 'POST' && isJson(req.headers['content-type'])) {
      return readEnveloped(req, addressed, maxBodyBytes, true, proxyKey);
    }
    return refusedCall(keyInBody(), provider.name, provider.name);
  }
  const contentType = req.headers['content-type'];
  call.watch = new BodyWatch(contentType, keys, maxBodyBytes);
  call.watch.lookAhead(first);
  call.model = call.watch.model;
  return { ok: true, call };
}

/** JSON that is read before anything is sent: the provider gets it in one piece, and its model is known at admission. */
async function readShortDropIn(
  req: IncomingMessage,
  addressed: Addressed,
  call: ProxyCall,
  maxBodyBytes: number,
): Promise<ReadCall> {
  const { provider, proxyKey, keys } = call;
  const asked = performance.now();
  const body = await readBody(req, maxBodyBytes);
  call.waited = performance.now() - asked;
  if (body === undefined || body === 'too-large') return { ok: false, refusal: undefined };
  if (keys.inPieces(body)) {
    // An envelope whose sender put a key into a header as well: the envelope's rules keep the keys from the provider.
    if (req.method === 'POST')
      return openEnvelope(body, addressed, call.waited, { foreignCredential: true, proxyKey });
    return refusedCall(keyInBody(), provider.name, provider.name);
  }
  call.body = body;
  const model = modelOf(body, req.headers);
  call.model = typeof model === 'string' ? model : await model;
  return { ok: true, call };
}

async function readEnveloped(
  req: IncomingMessage,
  addressed: Addressed,
  maxBodyBytes: number,
  foreignCredential: boolean,
  keyInHeader?: string,
): Promise<ReadCall> {
  const { name } = addressed.provider;
  const shape = foreignCredential ? name : 'licensify';
  const asked = performance.now();
  const raw = await readBody(req, maxBodyBytes);
  const waited = performance.now() - asked;
  if (raw === undefined) return { ok: false, refusal: undefined };
  if (raw === 'too-large') {
    return refusedCall(refuse('body_too_large', { max: maxBodyBytes }), shape, name);
  }
  return openEnvelope(raw, addressed, waited, { foreignCredential, proxyKey: keyInHeader });
}

async function openEnvelope(
  raw: Pieces,
  addressed: Addressed,
  waited: number,
  inHeaders: { foreignCredential: boolean; proxyKey: string | undefined },
): Promise<ReadCall> {
  const { foreignCredential, proxyKey: keyInHeader } = inHeaders;
  const { name } = addressed.provider;
  const shape = foreignCredential ? name : 'licensify';
  const read = await readEnvelope(raw);
  if (read.ok) {
    const isOtherKey = keyInHeader !== undefined && keyInHeader !== read.envelope.proxyKey;
    return isOtherKey
      ? refusedCall(twoKeys(), 'licensify', name)
      : callOf(read.envelope, addressed, { raw, waited });
  }
  if (read.isEnvelope || !foreignCredential) return refusedCall(malformed(read.problem), 'licensify', name);
  // A provider's request with a key that is none of ours: an SDK that was given the wrong one.
  return refusedCall(keyInHeader === undefined ? refuse('invalid_proxy_key') : keyInBody(), shape, name);
}

function callOf(
  envelope: Envelope,
  addressed: Addressed,
  { raw, waited }: { raw: Pieces; waited: number },
): ReadCall {
  const { provider } = addressed;
  if (envelope.provider !== provider.name) {
    const refusal = refuse('provider_mismatch', { envelope: shown(envelope.provider), url: provider.name });
    return refusedCall(refusal, 'licensify', provider.name);
  }
  const { proxyKey, hardwareId, body, model, timestamp, signature } = envelope;
  const keys = new KeySearch(proxyKey);
  if (keys.inPieces(body)) return refusedCall(keyInBody(), 'licensify', provider.name);
  const call: ProxyCall = {
    ...addressed,
    proxyKey,
    keys,
    hardwareId,
    envelope: { raw, timestamp, signature },
    body,
    model,
    watch: undefined,
    shape: 'licensify',
    waited,
  };
  return { ok: true, call };
}

function refusedCall(refusal: Refusal, shape: ErrorShape, provider: Provider['name']): ReadCall {
  return { ok: false, refusal, shape, provider };
}

/** The proxy keys in the headers where SDKs put their API key, and whether there is any credential at all. */
function presentedKeys({ headers }: IncomingMessage): { proxyKeys: string[]; any: boolean } {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  const proxyKeys: string[] = [];
  const bearer = authorization === undefined ? undefined : /^bearer +(.*)$/i.exec(authorization)?.[1];
  if (bearer?.startsWith('px_') === true) proxyKeys.push(bearer);
  if (typeof apiKey === 'string' && apiKey.startsWith('px_') && apiKey !== bearer) proxyKeys.push(apiKey);
  return { proxyKeys, any: authorization !== undefined || apiKey !== undefined };
}

function malformed(problem: string): Refusal {
  return refuse('invalid_request', {
    problem: `${problem}. An envelope is {"proxy_key", "provider", "body"}`,
  });
}

function twoKeys(): Refusal {
  return refuse('invalid_request', { problem: 'The request holds two different proxy keys' });
}

export function keyInBody(): Refusal {
  return refuse('invalid_request', {
    problem: 'The request body holds a proxy key, which must not reach the provider',
  });
}

/** What a client sent, short enough for an error message. */
function shown(text: string): string {
  return withoutKeys(text)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 100);
}
