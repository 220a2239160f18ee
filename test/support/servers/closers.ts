type Close = () => Promise<unknown>;

interface Closer {
  readonly name: string;
  readonly close: Close;
  readonly limitMs: number;
}

/** Waits for a promise to settle, at most so long; true when it did. It never rejects. */
export async function settledWithin(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([settled, limit]);
  clearTimeout(timer);
  return result;
}

/**
 * What has to be closed at the end of the run, the last opened first. A closer is registered where its resource is
 * opened, before the opening is awaited, so that an interrupted start is cleaned up too.
 */
export class Closers {
  readonly #closers: Closer[] = [];
  #closing = false;

  /** True from the moment the run ends, whether at its end or early. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Registers a closer; it gets `limitMs` to finish. */
  add(name: string, close: Close, limitMs = 20_000): void {
    if (this.#closing) throw new Error(`${name} is not started: the run is stopping`);
    this.#closers.push({ name, close, limitMs });
  }

  /** Closes everything once; what fails or takes too long is reported, and the rest is closed all the same. */
  async closeAll(report: (problem: string) => void): Promise<void> {
    this.#closing = true;
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      const { name, close, limitMs } = closer;
      const closed = close().catch((error: unknown) => report(`could not stop ${name}: ${String(error)}`));
      if (!(await settledWithin(closed, limitMs))) report(`${name} did not stop within ${limitMs / 1000} s`);
    }
  }
}
