import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Pieces } from '../pieces.ts';
import { headersForClient, isEventStream } from './header-policy.ts';
import { Lines, type Line } from './lines.ts';
import { cutOff, isRefunded, writeHead, type Engine, type Outcome, type Passage } from './passage.ts';

/**
 * undici's dispatcher: sends a request whose body is there in one piece, and hands the answer on as it comes. Nothing is
 * ever sent twice: a request that is on its way when its connection breaks has failed (undici repeats none).
 */
export class BufferedEngine implements Engine {
  readonly #timeoutMs: number;
  /** By base URL, of which the settings have one for each provider. */
  readonly #lines = new Map<URL, Lines>();

  /** @param timeoutMs the longest silence of a provider: before its headers, and between two chunks */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  pass(passage: Passage): Promise<Outcome> {
    const { req, res, base, path, headers, body } = passage;
    if (res.destroyed) return Promise.resolve({ kind: 'client-gone', refund: true });
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const lines = this.#linesTo(base);
    const line = lines.take();
    const exchange = new Exchange(passage, lines, line, resolve);
    headers.host = base.host;
    line.dispatch(
      { path, method: req.method as Dispatcher.HttpMethod, headers, body: asSent(body) },
      exchange,
    );
    return promise;
  }

  close(): void {
    for (const lines of this.#lines.values()) lines.close();
  }

  #linesTo(base: URL): Lines {
    let lines = this.#lines.get(base);
    if (lines === undefined) this.#lines.set(base, (lines = new Lines(base.origin, this.#timeoutMs)));
    return lines;
  }
}

/**
 * Several pieces go as an iterable, which undici takes although its types do not say so
 * (https://undici.nodejs.org/#/docs/api/Dispatcher?id=parameter-dispatchoptions); the head says how long they are.
 */
function asSent(body: Pieces | undefined): Buffer | null {
  const [first = null, ...others] = body ?? [];
  return others.length === 0 ? first : (body as unknown as Buffer);
}

const clientGone = new Error('the client has gone');

/** One request and its answer. undici calls its methods as the answer comes. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #passage: Passage;
  readonly #lines: Lines;
  readonly #line: Line;
  readonly #finish: (outcome: Outcome) => void;
  /** There from the moment that the request is sent. */
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  /** Nothing of the answer is passed on. */
  #ignored = false;
  /** What comes while the request is given back, before the head is written: pausing stops no connection that ends. */
  #early: Buffer[] | undefined;
  #ended = false;
  /** The provider has nothing more to say, or is gone. */
  #over = false;

  constructor(passage: Passage, lines: Lines, line: Line, finish: (outcome: Outcome) => void) {
    this.#passage = passage;
    this.#lines = lines;
    this.#line = line;
    this.#finish = finish;
    passage.res.once('close', () => this.#clientClosed());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#passage.res.destroyed) controller.abort(clientGone);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.#line.headCame();
    this.#status = status;
    this.#passage.times.firstByteAt = performance.now();
    this.#passage.times.answerStatus = status;
    if (status === 401) {
      // It is our key that was refused, and the provider's text may quote it. What it still has to say when the client
      // has its answer, nobody waits for.
      this.#ignored = true;
      this.#finish({ kind: 'provider-auth-failed', refund: true });
      return;
    }
    if (!isRefunded(status)) {
      this.#writeHead(headers);
      return;
    }
    this.#early = [];
    controller.pause();
    void this.#passage.giveBack().then(() => this.#afterGivingBack(headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#ignored) return;
    if (this.#early !== undefined) return void this.#early.push(chunk);
    const { res } = this.#passage;
    if (res.write(chunk)) return;
    controller.pause();
    res.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#over = true;
    this.#ended = true;
    this.#lines.giveBack(this.#line);
    if (!this.#ignored && this.#early === undefined) this.#passage.res.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#over = true;
    this.#lines.giveBack(this.#line);
    if (this.#ignored) return;
    const { req, res } = this.#passage;
    if (req.socket.destroyed || res.destroyed) this.#clientClosed();
    else if (res.headersSent) this.#breakOff();
    else if (this.#early !== undefined)
      return; // what follows the giving back sees it
    else if (isTimeout(error)) this.#finish({ kind: 'timeout', refund: false });
    else this.#finish({ kind: 'unreachable', refund: true, error });
  }

  #afterGivingBack(fields: IncomingHttpHeaders): void {
    const { res } = this.#passage;
    const early = this.#early ?? [];
    this.#early = undefined;
    if (res.destroyed) return;
    if (this.#over && !this.#ended) return this.#breakOff();
    this.#writeHead(fields);
    for (const chunk of early) res.write(chunk);
    if (this.#ended) res.end();
    else this.#controller?.resume();
  }

  #writeHead(fields: IncomingHttpHeaders): void {
    const { res, times } = this.#passage;
    writeHead(this.#passage, this.#status, headersForClient(fields));
    res.once('finish', () => this.#answered(true));
    times.headAt = performance.now();
    times.stream = isEventStream(fields);
    // The head waits for the first chunk otherwise, and a stream's first event may be long in coming.
    if (times.stream) res.flushHeaders();
  }

  #breakOff(): void {
    cutOff(this.#passage.res);
    this.#answered(false);
  }

  #answered(complete: boolean): void {
    const status = this.#status;
    this.#finish({ kind: 'answered', status, complete, refund: isRefunded(status) });
  }

  /** A client that went away needs no answer, and its provider's work is to stop at once. */
  #clientClosed(): void {
    const { res } = this.#passage;
    if (!this.#over && this.#controller === undefined) this.#lines.discard(this.#line);
    if (!this.#over) this.#controller?.abort(clientGone);
    if (res.writableFinished) return;
    if (res.headersSent) this.#answered(false);
    else this.#finish({ kind: 'client-gone', refund: this.#controller === undefined });
  }
}

function isTimeout(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}
