import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** One request as the simulator received it, kept up to date until its response is over. */
export interface RecordedRequest {
  readonly method: string;
  /** The raw request target, undecoded. */
  readonly url: string;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  /** What of the body has arrived; complete when `ended`. Stays empty for an early response. */
  readonly body: Buffer;
  /** The request's body is complete. */
  readonly ended: boolean;
  readonly trailers: NodeJS.Dict<string>;
  /** Date.now() when the headers were in. */
  readonly receivedAt: number;
  /** Bytes of the response's body handed to the socket so far, without chunked framing. */
  readonly bytesWritten: number;
  /** The whole response has been handed to the operating system. */
  readonly responseFinished: boolean;
  /** The client closed the connection before the response was finished (not the simulator, by `die=`). */
  readonly aborted: boolean;
  /** Date.now() when the response finished or the connection went. */
  readonly closedAt: number | undefined;
  /** Resolves when the response has finished or the connection is gone. */
  readonly closed: Promise<void>;
}

/** The simulator's own side of a RecordedRequest. */
export class Exchange implements RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly receivedAt = Date.now();
  ended = false;
  bytesWritten = 0;
  responseFinished = false;
  aborted = false;
  closedAt: number | undefined;
  /** Set when the simulator itself destroys the connection. */
  killed = false;
  readonly #request: IncomingMessage;
  #chunks: Buffer[] = [];
  #closed: Promise<void> | undefined;
  #settle: (() => void) | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
    this.method = request.method ?? '';
    this.url = request.url ?? '';
  }

  get httpVersion(): string {
    return this.#request.httpVersion;
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get rawHeaders(): string[] {
    return this.#request.rawHeaders;
  }

  get trailers(): NodeJS.Dict<string> {
    return this.#request.trailers;
  }

  get body(): Buffer {
    const [first] = this.#chunks;
    if (first === undefined) return Buffer.alloc(0);
    if (this.#chunks.length === 1) return first;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  get closed(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      if (this.closedAt === undefined) this.#settle = resolve;
      else resolve();
    });
    return this.#closed;
  }

  /** Keeps a piece of the request's body. */
  receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /** Notes that the response is over, one way or the other. */
  close(response: ServerResponse): void {
    this.closedAt = Date.now();
    this.responseFinished = response.writableFinished;
    this.aborted = !this.responseFinished && !this.killed;
    this.#settle?.();
  }
}

/** Keeps requests in order of arrival and wakes those who wait for one. */
export class Recorder {
  readonly requests: RecordedRequest[] = [];
  readonly #waiters = new Set<() => void>();

  add(request: RecordedRequest): void {
    this.requests.push(request);
    this.changed();
  }

  /** Tells the waiters to look again: a request came or its body is complete. */
  changed(): void {
    for (const look of this.#waiters) look();
  }

  clear(): void {
    this.requests.length = 0;
  }

  /** The first request, present or future, that satisfies the predicate. */
  waitFor(
    predicate: (request: RecordedRequest) => boolean = () => true,
    timeoutMs = 5000,
  ): Promise<RecordedRequest> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#waiters.delete(look);
        clearTimeout(timer);
      };
      const look = (): void => {
        const found = this.requests.find(predicate);
        if (found === undefined) return;
        finish();
        resolve(found);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`no such request within ${timeoutMs} ms; ${this.requests.length} recorded`));
      }, timeoutMs);
      this.#waiters.add(look);
      look();
    });
  }
}
