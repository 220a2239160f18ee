import { asObject, errorOf, parse } from './answers.ts';
import { IncompleteError, LicensifyError, UnavailableError } from './errors.ts';
import { readQuota, type Quota } from './quota.ts';

export interface TransportOptions {
  url: string | URL;
  fetch: typeof fetch;
  allowHttp: boolean;
  maxRetries: number;
}

export interface Sending {
  signal?: AbortSignal | undefined;
  /** Until the whole answer is there. Milliseconds; there is none by default. */
  timeoutMs?: number | undefined;
}

/** The gateway's own refusals with 503: nothing was done, so that any call can be made again. */
const nothingWasDone = new Set(['counters_unavailable', 'database_unavailable', 'shutting_down']);
/** A longer `Retry-After` is for the caller to wait. Seconds. */
const LONGEST_WAIT = 10;
const LOOPBACK = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/;

/** HTTP to one gateway. */
export class Transport {
  /** Without a slash at its end. */
  readonly url: string;
  /** What the last answer that said it left. */
  quota: Quota | undefined;
  readonly #fetch: typeof fetch;
  readonly #maxRetries: number;

  /** @throws LicensifyError where the URL is none, or would send keys in the clear */
  constructor({ url, fetch, allowHttp, maxRetries }: TransportOptions) {
    this.url = checkedUrl(url, allowHttp);
    this.#fetch = (input, init) => fetch(input, init); // browsers' own minds what it is called on
    this.#maxRetries = maxRetries;
  }

  /**
   * Any answer of the gateway, once its head is there. What was refused with nothing done is tried again, as often as
   * `maxRetries` says, after its `Retry-After`.
   * @param init makes each attempt's own: a signature is good for one
   * @throws UnavailableError where there is none; the signal's reason where that aborted it
   */
  async send(
    path: string,
    init: () => RequestInit | Promise<RequestInit>,
    sending: Sending = {},
  ): Promise<Response> {
    for (let attempt = 0; ; attempt += 1) {
      const response = await this.sendOnce(this.url + path, await init(), sending);
      if (response.status !== 503) return response;
      const text = await readText(response, sending.signal);
      const error = errorOf(response, text);
      const wait = error.retryAfter;
      const isOver = attempt >= this.#maxRetries || wait === undefined || wait > LONGEST_WAIT;
      if (isOver || !nothingWasDone.has(error.code)) return remade(response, text);
      await pause(wait * 1_000, sending.signal);
    }
  }

  /** The same, once. */
  async sendOnce(url: string, init: RequestInit, { signal, timeoutMs }: Sending = {}): Promise<Response> {
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const signals = [signal, timeout].filter((one) => one !== undefined);
    try {
      // A redirect would send the keys in the body elsewhere.
      const response = await this.#fetch(url, {
        ...init,
        redirect: 'manual',
        ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      });
      if (response.type === 'opaqueredirect' || isRedirect(response)) throw redirected(this.url, response);
      this.quota = readQuota(response.headers) ?? this.quota;
      return response;
    } catch (error) {
      if (error instanceof LicensifyError) throw error;
      signal?.throwIfAborted();
      throw unreachable(this.url, error, timeout?.aborted === true);
    }
  }

  /** A request as an SDK makes it, whose failures are the SDK's to tell. */
  async passOn(input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
    const response = await this.#fetch(input, init);
    this.quota = readQuota(response.headers) ?? this.quota;
    return response;
  }

  /** Sends JSON and reads JSON. @throws LicensifyError for every answer but a good one */
  async json(path: string, body: object | undefined, sending: Sending): Promise<Record<string, unknown>> {
    const init: RequestInit =
      body === undefined
        ? { method: 'GET' }
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await this.send(path, () => init, sending);
    const text = await readText(response, sending.signal);
    const answer = response.ok ? asObject(parse(text)) : undefined;
    if (answer === undefined) throw errorOf(response, text);
    return answer;
  }
}

/** The whole body. @throws IncompleteError where it breaks off */
export async function readText(response: Response, signal?: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new IncompleteError('The answer broke off before its end', {
      status: response.status,
      code: 'incomplete',
      requestId: response.headers.get('x-licensify-request-id') ?? undefined,
      cause,
    });
  }
}

/** Waits for what others wait for too: an abort ends the waiting, not the work. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    // The reason is the caller's own, whatever it is.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return abortable(new Promise((resolve) => setTimeout(resolve, ms)), signal);
}

/** A response whose body has been read, to be read again. */
function remade({ status, headers }: Response, text: string): Response {
  return new Response(text, { status, headers });
}

function checkedUrl(url: string | URL, allowHttp: boolean): string {
  const text = String(url);
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const wrong = (problem: string): LicensifyError => new LicensifyError(problem, { code: 'invalid_url' });
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search + parsed.hash !== '') {
    throw wrong(
      `The gateway's URL has to be one such as https://licenses.example.com, not ${JSON.stringify(text)}`,
    );
  }
  if (parsed.username + parsed.password !== '') throw wrong("The gateway's URL takes no user and password");
  if (parsed.protocol === 'http:' && !allowHttp && !LOOPBACK.test(parsed.hostname)) {
    throw wrong(
      `${parsed.origin} would get keys in the clear: use https (or allowHttp, in a network of your own)`,
    );
  }
  return (parsed.origin + parsed.pathname).replace(/\/+$/, '');
}

function isRedirect({ status, headers }: Response): boolean {
  return status >= 300 && status < 400 && headers.has('location');
}

function redirected(url: string, { headers }: Response): LicensifyError {
  const target = headers.get('location');
  return new LicensifyError(
    `${url} redirects${target === null ? '' : ` to ${target}`}: use the URL where the gateway is`,
    { code: 'redirected' },
  );
}

function unreachable(url: string, cause: unknown, isLate: boolean): UnavailableError {
  if (isLate) return new UnavailableError(`${url} did not answer in time`, { code: 'timeout', cause });
  // fetch says "fetch failed"; what happened is its cause.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : undefined;
  const reason = code ?? (inner instanceof Error ? inner.message : String(inner));
  return new UnavailableError(`${url} cannot be reached (${reason})`, { code: 'unreachable', cause });
}
