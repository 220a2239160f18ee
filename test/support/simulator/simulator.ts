import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { parseDirectives, SIMULATE_HEADER } from './behaviour.ts';
import type { Behaviour, BehaviourSource } from './behaviour.ts';
import { deliver, deliverPlain } from './deliver.ts';
import { KeyRing } from './keys.ts';
import { Exchange, Recorder } from './recorder.ts';
import type { RecordedRequest } from './recorder.ts';
import type { Provider } from './reply.ts';
import { Router } from './router.ts';

export type { Behaviour } from './behaviour.ts';
export type { Provider } from './reply.ts';
export type { RecordedRequest } from './recorder.ts';
export { ANTHROPIC_KEY, OPENAI_KEY } from './keys.ts';
export { FORBIDDEN_MARKER } from './wire/stateful.ts';
export { ANTHROPIC_ORGANIZATION, ANTHROPIC_WORKSPACE } from './wire/anthropic-headers.ts';
export { OPENAI_ORGANIZATION, OPENAI_PROJECT } from './wire/openai-headers.ts';

export interface SimulatorOptions {
  /** Default: any free port. */
  port?: number;
  /** Default: 127.0.0.1. */
  host?: string;
  /** Default: OPENAI_KEY. */
  openaiKeys?: string[];
  /** Default: ANTHROPIC_KEY. */
  anthropicKeys?: string[];
  /** false keeps no requests and answers repeated ones from memory. Default: true. */
  record?: boolean;
}

/** A running simulator of both providers, on one port. */
export interface Simulator {
  /** `http://127.0.0.1:PORT`: OpenAI's base URL is `${url}/v1`, Anthropic's is `url`. */
  readonly url: string;
  /** In order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** TCP connections open now. */
  openSockets(): number;
  /** Requests received whose response has neither ended nor been cut. */
  openRequests(): number;
  /** TCP connections accepted so far. */
  connectionsOpened(): number;
  setKeys(provider: Provider, keys: string[]): void;
  /**
   * What all following requests get. A function is asked when the headers are in and, if it answered
   * `undefined`, once more when the body is complete. Directives in `x-simulate` win, one by one.
   */
  behave(behaviour: BehaviourSource<RecordedRequest>): void;
  /** The first recorded request, present or future, that satisfies the predicate (default timeout: 5 s). */
  waitForRequest(
    predicate?: (request: RecordedRequest) => boolean,
    timeoutMs?: number,
  ): Promise<RecordedRequest>;
  /** Forgets the requests and the behaviour; keys and connections stay. */
  reset(): void;
  /** Destroys every connection and stops listening. */
  close(): Promise<void>;
}

/** Starts a simulator; it listens when the promise resolves. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulation = new Simulation(options);
  await simulation.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  return simulation;
}

class Simulation implements Simulator {
  url = '';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #recorder = new Recorder();
  readonly #keys: KeyRing;
  readonly #router: Router;
  readonly #record: boolean;
  #behaviour: BehaviourSource<RecordedRequest>;
  #openRequests = 0;
  #connectionsOpened = 0;

  constructor(options: SimulatorOptions) {
    this.#record = options.record ?? true;
    this.#keys = new KeyRing(options.openaiKeys, options.anthropicKeys);
    this.#router = new Router(this.#keys, { remember: !this.#record });
    // Tests bring their own clocks: the server itself never times a client out.
    this.#server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0, headersTimeout: 0 });
    this.#server.on('connection', (socket: Socket) => {
      this.#connectionsOpened += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('request', (request, response) => this.#handle(request, response));
  }

  get requests(): readonly RecordedRequest[] {
    return this.#recorder.requests;
  }

  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        const address = this.#server.address() as AddressInfo;
        this.url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${address.port}`;
        resolve();
      });
    });
  }

  openSockets(): number {
    return this.#sockets.size;
  }

  openRequests(): number {
    return this.#openRequests;
  }

  connectionsOpened(): number {
    return this.#connectionsOpened;
  }

  setKeys(provider: Provider, keys: string[]): void {
    this.#keys.set(provider, keys);
  }

  behave(behaviour: BehaviourSource<RecordedRequest>): void {
    this.#behaviour = behaviour;
  }

  waitForRequest(
    predicate?: (request: RecordedRequest) => boolean,
    timeoutMs?: number,
  ): Promise<RecordedRequest> {
    return this.#recorder.waitFor(predicate, timeoutMs);
  }

  reset(): void {
    this.#recorder.clear();
    this.#behaviour = undefined;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const gone = [...this.#sockets].map((socket) => once(socket.destroy(), 'close'));
    await Promise.all([closed, ...gone]);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(request);
    this.#openRequests += 1;
    response.on('close', () => {
      this.#openRequests -= 1;
      exchange.close(response);
    });
    // A client that resets the connection is an ordinary event here.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (this.#record) this.#recorder.add(exchange);

    const directives = readDirectives(request, response);
    if (directives === null) return;
    const early = this.#behaviourOf(exchange);
    if ({ ...early, ...directives }.earlyResponse === true) {
      this.#start(exchange, response, { ...early, ...directives });
      return;
    }
    request.on('data', (chunk: Buffer) => exchange.receive(chunk));
    request.on('end', () => {
      exchange.ended = true;
      if (this.#record) this.#recorder.changed();
      const standing = early ?? this.#behaviourOf(exchange);
      this.#start(exchange, response, directives === undefined ? standing : { ...standing, ...directives });
    });
  }

  #behaviourOf(exchange: Exchange): Behaviour | undefined {
    const source = this.#behaviour;
    return typeof source === 'function' ? source(exchange) : source;
  }

  #start(exchange: Exchange, response: ServerResponse, behaviour: Behaviour | undefined): void {
    this.#answer(exchange, response, behaviour).catch((error: unknown) => complain(response, 500, error));
  }

  async #answer(
    exchange: Exchange,
    response: ServerResponse,
    behaviour: Behaviour | undefined,
  ): Promise<void> {
    if (response.destroyed) return;
    const delivery = { response, exchange, behaviour: behaviour ?? {} };
    const answer = this.#router.answer(exchange, behaviour);
    const { reply, headers } = answer instanceof Promise ? await answer : answer;
    if (behaviour === undefined && reply.body instanceof Buffer) {
      headers.push('Content-Length', String(reply.body.length));
      deliverPlain(reply.status, headers, reply.body, delivery);
    } else {
      await deliver(reply, headers, delivery);
    }
  }
}

/** The request's own directives: undefined if it has none, null if they are wrong and that has been answered. */
function readDirectives(request: IncomingMessage, response: ServerResponse): Behaviour | undefined | null {
  const directives = request.headers[SIMULATE_HEADER];
  if (directives === undefined) return undefined;
  try {
    return parseDirectives(String(directives));
  } catch (error) {
    complain(response, 400, error);
    return null;
  }
}

/** Says that the simulator itself, or the test that uses it, is wrong: in plain text, as no provider would. */
function complain(response: ServerResponse, status: number, error: unknown): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`simulator: ${String(error)}\n`);
}
