import { lengthOf } from '../pieces.ts';
import { isFieldValue, type HeaderList } from '../header-list.ts';
import { SHORT, SilentProvider, type Line, type LineListener } from './line.ts';
import { Lines } from './lines.ts';
import { cutOff, isRefunded, writeHead, type Engine, type Outcome, type Passage } from './passage.ts';

/**
 * Sends requests whose body is there, or that have none, and hands the answers on as they come: an HTTP/1.1 client of
 * our own, since this is where most of a request's time goes (docs/performance.md). Nothing is ever sent twice.
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
    if (passage.res.destroyed) return Promise.resolve({ kind: 'client-gone', refund: true });
    const { method = '' } = passage.req;
    const { body = [] } = passage;
    const head = requestHead(passage, method, lengthOf(body));
    if (head === undefined) {
      const error = new Error('A header of the request cannot be sent');
      return Promise.resolve({ kind: 'unreachable', refund: true, error });
    }
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const line = this.#linesTo(passage.base).take();
    line.send({ method, head, body }, new Exchange(passage, line, resolve));
    return promise;
  }

  close(): void {
    for (const lines of this.#lines.values()) lines.close();
  }

  #linesTo(base: URL): Lines {
    let lines = this.#lines.get(base);
    if (lines === undefined) this.#lines.set(base, (lines = new Lines(base, this.#timeoutMs)));
    return lines;
  }
}

/**
 * Request line and headers (RFC 9112 §3, §5). The body's framing is said here, and nowhere else. Undefined where a value
 * would not arrive as one.
 */
function requestHead({ base, path, headers }: Passage, method: string, length: number): string | undefined {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${base.host}\r\nconnection: keep-alive\r\n`;
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (name === 'content-length' || name === 'transfer-encoding') continue;
    // What came by HTTP is one; a key that was typed in might not be.
    if (!isFieldValue(value)) return undefined;
    head += `${name}: ${value}\r\n`;
  }
  // RFC 9110 §8.6: a POST without a body says so.
  if (length > 0 || method === 'POST') head += `content-length: ${length}\r\n`;
  return `${head}\r\n`;
}

/** One request and its answer, of which its line tells as it comes. */
class Exchange implements LineListener {
  readonly #passage: Passage;
  readonly #line: Line;
  readonly #finish: (outcome: Outcome) => void;
  #isSent = false;
  #status = 0;
  /** Nothing of the answer is passed on. */
  #ignored = false;
  /** What comes while the request is given back, before the head is written: pausing stops no connection that ends. */
  #early: Buffer[] | undefined;
  #ended = false;
  /** What came last, where it is short, until it is known whether more came with it. */
  #held: Buffer | undefined;
  /** For the client to take what it has been sent. */
  #isWaiting = false;
  /** The provider has nothing more to say, or is gone: the line is not ours any more. */
  #over = false;

  constructor(passage: Passage, line: Line, finish: (outcome: Outcome) => void) {
    this.#passage = passage;
    this.#line = line;
    this.#finish = finish;
    passage.res.on('close', () => this.#clientClosed());
  }

  sent(): void {
    this.#isSent = true;
  }

  head(status: number, fields: HeaderList): void {
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
      this.#writeHead(fields);
      return;
    }
    this.#early = [];
    this.#line.pause();
    void this.#passage.giveBack().then(() => this.#afterGivingBack(fields));
  }

  piece(bytes: Buffer): void {
    if (this.#ignored) return;
    if (this.#early !== undefined) return void this.#early.push(bytes);
    // Nearly always it is the whole of a short answer, and can be written with its end.
    if (this.#held === undefined && bytes.length <= SHORT) this.#held = bytes;
    else {
      this.allRead();
      this.#write(bytes);
    }
  }

  allRead(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#write(held);
  }

  #write(bytes: Buffer): void {
    const { res } = this.#passage;
    if (res.write(bytes) || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#line.pause();
    res.once('drain', () => {
      this.#isWaiting = false;
      if (!this.#over) this.#line.resume();
    });
  }

  end(): void {
    this.#over = true;
    this.#ended = true;
    if (this.#ignored || this.#early !== undefined) return;
    const { res } = this.#passage;
    if (this.#held === undefined) res.end();
    else res.end(this.#held.toString('latin1'), 'latin1');
  }

  failed(error: Error): void {
    this.#over = true;
    if (this.#ignored) return;
    const { req, res } = this.#passage;
    if (req.socket.destroyed || res.destroyed) this.#clientClosed();
    else if (res.headersSent) this.#breakOff();
    else if (this.#early !== undefined)
      return; // what follows the giving back sees it
    else if (error instanceof SilentProvider) this.#finish({ kind: 'timeout', refund: false });
    else this.#finish({ kind: 'unreachable', refund: true, error });
  }

  #afterGivingBack(fields: HeaderList): void {
    const { res } = this.#passage;
    const early = this.#early ?? [];
    this.#early = undefined;
    if (res.destroyed) return;
    if (this.#over && !this.#ended) return this.#breakOff();
    this.#writeHead(fields);
    for (const chunk of early) res.write(chunk);
    if (this.#ended) res.end();
    else if (!this.#over) this.#line.resume();
  }

  #writeHead(fields: HeaderList): void {
    writeHead(this.#passage, this.#status, fields);
    this.#passage.res.on('finish', () => this.#answered(true));
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
    if (!this.#over) this.#line.destroy();
    this.#over = true;
    if (res.writableFinished) return;
    if (res.headersSent) this.#answered(false);
    else this.#finish({ kind: 'client-gone', refund: !this.#isSent });
  }
}
