import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Transform } from 'node:stream';
import { createProxyServer, type ProxyServer, type ProxyTarget } from 'http-proxy';
import { fieldsOf, listOf } from '../header-list.ts';
import {
  CONNECT_TIMEOUT,
  cutOff,
  isRefunded,
  KEEP_IDLE,
  MOST_IDLE,
  writeHead,
  type Engine,
  type Outcome,
  type Passage,
} from './passage.ts';

/** A passage under way. */
interface Flight extends Passage {
  finish: (outcome: Outcome) => void;
  upstream: ClientRequest | undefined;
  timedOut: boolean;
  objection: string | undefined;
}

const flightKey = Symbol('flight');

/**
 * The engine's events name the request alone, so it carries its flight. Not a WeakMap: what leads back to its own key
 * outlives each minor collection there, and every request would be promoted to the old generation with all it holds.
 */
interface Carrier extends IncomingMessage {
  [flightKey]?: Flight;
}

function flightOf(req: Carrier): Flight | undefined {
  return req[flightKey];
}

/**
 * http-proxy: pipes the client's body as it comes. What it leaves open is guarded here: see docs/security.md for each
 * defect and its test.
 */
export class PipingEngine implements Engine {
  readonly #engine: ProxyServer;
  readonly #agents: { http: http.Agent; https: https.Agent };

  /** @param timeoutMs the longest silence of a provider: before its headers, and between two chunks */
  constructor(timeoutMs: number) {
    // Without keep-alive each request would pay for a connection and a TLS handshake. No bound on sockets: behind a
    // full pool, requests whose clients have gone would block those that still wait.
    const options = { keepAlive: true, maxSockets: Infinity, maxFreeSockets: MOST_IDLE, timeout: KEEP_IDLE };
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
    this.#engine.on('proxyReq', (upstream, req) => this.#launch(upstream, flightOf(req)));
    this.#engine.on('proxyRes', (answer, req) => this.#land(answer, flightOf(req)));
    this.#engine.on('error', (error, req) => this.#fail(error, flightOf(req)));
    this.#engine.on('econnreset', (error, req) => this.#fail(error, flightOf(req)));
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
    const { req, res, base, path, headers } = flight;
    const body = guardedBody(flight);
    if (res.destroyed) return Promise.resolve({ kind: 'client-gone', refund: true });
    (req as Carrier)[flightKey] = flight;
    res.once('close', () => clientClosed(flight));
    req.headers = { ...fieldsOf(headers), host: base.host };
    req.url = path;
    this.#engine.web(req, res, {
      target: targetOf(base),
      agent: base.protocol === 'https:' ? this.#agents.https : this.#agents.http,
      ...(body !== undefined && { buffer: body }),
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
    // Without a listener node drops the connection and says nothing, and the client would wait for ever.
    upstream.once('upgrade', (_answer, socket) => {
      socket.destroy();
      this.#fail(new Error('The provider switched protocols, unasked'), flight);
    });
    // The client may have gone, or sent what must not pass, before there was anything to close.
    if (flight.res.destroyed || flight.objection !== undefined) upstream.destroy();
  }

  #land(answer: IncomingMessage, flight: Flight | undefined): void {
    if (flight === undefined) return;
    const status = answer.statusCode ?? 502;
    flight.times.firstByteAt = performance.now();
    flight.times.answerStatus = status;
    answer.on('error', () => undefined); // reported by 'close' below
    if (flight.res.destroyed || flight.objection !== undefined) {
      answer.destroy();
    } else if (status === 401) {
      // It is our key that was refused, and the provider's text may quote it.
      answer.resume();
      // Whatever it still has to say when the client has its answer, nobody waits for.
      flight.res.once('close', () => answer.destroy());
      // It may come before the request is complete, and nobody will send the rest.
      if (!flight.req.complete) flight.upstream?.destroy();
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
    else if (res.headersSent) cutOff(res);
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
  const refund = isRefunded(status);
  if (refund) await flight.giveBack();
  if (res.destroyed) return void answer.destroy();
  // It died while the request was given back: nothing would tell of it any more.
  if (answer.destroyed) {
    res.destroy();
    finish({ kind: 'answered', status, complete: false, refund });
    return;
  }
  writeHead(flight, status, listOf(answer.headers));
  const end = (complete: boolean): void => finish({ kind: 'answered', status, complete, refund });
  answer.pipe(res);
  answer.once('close', () => {
    if (!answer.complete) cutOff(res);
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
}

/** The client's body as its guard lets it pass; the first objection ends the request to the provider. */
function guardedBody(flight: Flight): Transform | undefined {
  const { req, guard } = flight;
  if (guard === undefined) return undefined;
  const passing = new Transform({
    transform(piece: Buffer, _encoding, done) {
      // What comes behind an objection is read and thrown away.
      const verdict = flight.objection === undefined ? guard.take(piece) : undefined;
      if (verdict !== undefined && 'objection' in verdict) refuseBody(flight, verdict.objection);
      done(null, verdict !== undefined && 'passes' in verdict ? verdict.passes : undefined);
    },
    flush: (done) => done(null, flight.objection === undefined ? guard.rest() : undefined),
  });
  return req.pipe(passing);
}

function refuseBody(flight: Flight, objection: string): void {
  const { res, upstream, finish } = flight;
  flight.objection = objection;
  upstream?.destroy();
  if (res.headersSent) cutOff(res);
  finish({ kind: 'body-refused', refund: true, objection });
}

/** As the engine reads it: only these fields, so that it parses no URL for each request. */
function targetOf({ protocol, hostname, port }: URL): ProxyTarget {
  return { protocol, host: hostname, hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}
