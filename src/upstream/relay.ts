import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { createProxyServer, type ProxyServer, type ProxyTarget } from 'http-proxy';
import { headersForClient, isEventStream, type HeaderFields } from './header-policy.ts';

/** How long a connection to a provider is kept for the next request. Milliseconds; less than what providers keep theirs. */
const KEEP_IDLE = 30_000;
/** A provider that takes longer to accept a connection is away. Milliseconds. */
const CONNECT_TIMEOUT = 10_000;

/** One request to pass on. */
export interface Passage {
  req: IncomingMessage;
  res: ServerResponse;
  /** The provider's base URL, from the settings alone. */
  base: URL;
  /** Path and query behind the base. */
  path: string;
  headers: HeaderFields;
  /** The body, where it is not the client's own to be piped. */
  body?: Buffer | undefined;
  /** Sees each piece of a piped body before it passes; what it objects to does not pass, and ends the passage. */
  inspect?: ((piece: Buffer) => string | undefined) | undefined;
  /** Headers of ours for the answer's head. */
  ownHeaders: () => HeaderFields;
  /** Called before the head of an answer that will not be charged is sent: the client may try again at once. */
  giveBack: () => Promise<void>;
}

/**
 * What became of a passage. Where nothing was `answered`, the client still waits for an answer, unless it has gone.
 * `refund`: the provider did no work that the customer should be charged for (contract §4.4).
 */
export type Outcome =
  | { kind: 'answered'; status: number; complete: boolean; refund: boolean; firstByteAt: number }
  | { kind: 'provider-auth-failed'; refund: true; error?: undefined }
  | { kind: 'unreachable'; refund: true; error: Error }
  | { kind: 'timeout'; refund: false; error?: undefined }
  | { kind: 'body-refused'; refund: true; objection: string; error?: undefined }
  /** Gone before anything was answered; `refund` if before anything was sent, too. */
  | { kind: 'client-gone'; refund: boolean; error?: undefined };

/** A passage under way. */
interface Flight extends Passage {
  finish: (outcome: Outcome) => void;
  upstream: ClientRequest | undefined;
  timedOut: boolean;
  objection: string | undefined;
}

/**
 * Passes requests on to providers. It alone knows the engine, http-proxy, and guards what that leaves open: see
 * docs/security.md for each defect and its test.
 */
export class Relay {
  readonly #engine: ProxyServer;
  readonly #agents: { http: http.Agent; https: https.Agent };
  readonly #flights = new WeakMap<IncomingMessage, Flight>();

  /** @param timeoutMs the longest silence of a provider: before its headers, and between two chunks */
  constructor(timeoutMs: number) {
    // Without keep-alive each request would pay for a connection and a TLS handshake. No bound on sockets: behind a
    // full pool, requests whose clients have gone would block those that still wait.
    const options = { keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256, timeout: KEEP_IDLE };
    this.#agents = { http: new http.Agent(options), https: new https.Agent(options) };
    // selfHandleResponse: what reaches the client is decided here, after the status is known.
    // toProxy: the path goes out as it is given; to parse and rebuild it could only change it.
    this.#engine = createProxyServer({
      proxyTimeout: timeoutMs,
      connectTimeout: Math.min(timeoutMs, CONNECT_TIMEOUT),
      selfHandleResponse: true,
      prependPath: false,
      toProxy: true,
    });
    this.#engine.on('proxyReq', (upstream, req) => this.#launch(upstream, this.#flights.get(req)));
    this.#engine.on('proxyRes', (answer, req) => this.#land(answer, this.#flights.get(req)));
    this.#engine.on('error', (error, req) => this.#fail(error, this.#flights.get(req)));
    this.#engine.on('econnreset', (error, req) => this.#fail(error, this.#flights.get(req)));
  }

  /** Resolves when nothing of the passage is under way any more. Never rejects. */
  pass(passage: Passage): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const flight: Flight = {
      ...passage,
      finish: resolve,
      upstream: undefined,
      timedOut: false,
      objection: undefined,
    };
    const { req, res, base, path, headers, body } = flight;
    if (res.destroyed) return Promise.resolve({ kind: 'client-gone', refund: true });
    this.#flights.set(req, flight);
    res.once('close', () => clientClosed(flight));
    if (flight.inspect !== undefined) inspectBody(flight, flight.inspect);
    req.headers = { ...headers, host: base.host };
    req.url = path;
    this.#engine.web(req, res, {
      target: targetOf(base),
      agent: base.protocol === 'https:' ? this.#agents.https : this.#agents.http,
      ...(body !== undefined && { buffer: streamOf(body) }),
    });
    return promise;
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #launch(upstream: ClientRequest, flight: Flight | undefined): void {
    if (flight === undefined) return;
    flight.upstream = upstream;
    upstream.once('timeout', () => (flight.timedOut = true));
    // The client may have gone, or sent what must not pass, before there was anything to close.
    if (flight.res.destroyed || flight.objection !== undefined) upstream.destroy();
  }

  #land(answer: IncomingMessage, flight: Flight | undefined): void {
    if (flight === undefined) return;
    const status = answer.statusCode ?? 502;
    answer.on('error', () => undefined); // reported by 'close' below
    if (flight.res.destroyed || flight.objection !== undefined) {
      answer.destroy();
    } else if (status === 401) {
      // It is our key that was refused, and the provider's text may quote it.
      answer.resume();
      flight.finish({ kind: 'provider-auth-failed', refund: true });
    } else {
      deliver(answer, status, flight).catch((error: unknown) => {
        answer.destroy();
        this.#fail(error instanceof Error ? error : new Error(String(error)), flight);
      });
    }
  }

  #fail(error: Error, flight: Flight | undefined): void {
    if (flight === undefined) return;
    flight.upstream?.destroy();
    const { req, res, timedOut } = flight;
    if (req.socket.destroyed) clientClosed(flight);
    else if (res.headersSent) res.destroy();
    else if (timedOut) flight.finish({ kind: 'timeout', refund: false });
    else flight.finish({ kind: 'unreachable', refund: true, error });
  }
}

/** A client that went away needs no answer, and its provider's work is to stop at once. */
function clientClosed({ res, upstream, finish }: Flight): void {
  if (res.writableFinished) return;
  const sentNothing = upstream === undefined || upstream.socket?.connecting === true;
  upstream?.destroy();
  // With the head sent, the delivery tells how far it came.
  if (!res.headersSent) finish({ kind: 'client-gone', refund: sentNothing });
}

/** Writes the provider's answer to the client as it comes; an answer that is cut short destroys the connection. */
async function deliver(answer: IncomingMessage, status: number, flight: Flight): Promise<void> {
  const { res, req, finish } = flight;
  const refund = status === 429 || status >= 500;
  const firstByteAt = performance.now();
  if (refund) await flight.giveBack();
  if (res.destroyed) return void answer.destroy();
  // Without the provider's reason phrase: HTTP/2 has none, and it need not be valid.
  res.writeHead(status, {
    ...headersForClient(answer.headers),
    ...flight.ownHeaders(),
    // A request body that nobody will read any more would be taken for the next request.
    ...(!req.complete && { connection: 'close' }),
  });
  const end = (complete: boolean): void =>
    finish({ kind: 'answered', status, complete, refund, firstByteAt });
  answer.pipe(res);
  answer.once('close', () => {
    if (!answer.complete) res.destroy();
    if (!answer.complete || res.destroyed) end(false);
  });
  res.once('finish', () => {
    end(true);
    // The provider answered without wanting the rest of the body.
    if (!req.complete) flight.upstream?.destroy();
  });
  res.once('close', () => {
    answer.destroy();
    end(res.writableFinished);
  });
  // The head waits for the first chunk otherwise, and a stream's first event may be long in coming.
  if (isEventStream(answer.headers)) res.flushHeaders();
}

/** Stops a piped body at the first piece that is objected to, and the request to the provider with it. */
function inspectBody(flight: Flight, inspect: (piece: Buffer) => string | undefined): void {
  const { req, res } = flight;
  // Listens before the engine pipes, so that it sees each piece first.
  req.on('data', (piece: Buffer) => {
    if (flight.objection !== undefined) return;
    const objection = inspect(piece);
    if (objection === undefined) return;
    flight.objection = objection;
    req.unpipe();
    flight.upstream?.destroy();
    if (res.headersSent) res.destroy();
    flight.finish({ kind: 'body-refused', refund: true, objection });
  });
}

/** As the engine reads it: only these fields, so that it parses no URL for each request. */
function targetOf({ protocol, hostname, port }: URL): ProxyTarget {
  return { protocol, host: hostname, hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}

function streamOf(body: Buffer): Readable {
  const stream = new Readable({ read: () => undefined });
  stream.push(body);
  stream.push(null);
  return stream;
}
