/** Refused without asking: an earlier question of the same lane is still without an answer. */
export class CallsOverdue extends Error {
  override readonly name = 'CallsOverdue';
}

/** What may still be heard of a call whose caller has been told that there was no answer in time. */
export interface Aftermath<T> {
  /** It was answered after all, too late. */
  late?: (result: T) => void;
  /** The connection broke while it was under way: it was carried out, or not. */
  lost?: () => void;
}

interface Overdue {
  since: number;
}

/**
 * Bounds questions to Redis in time, and in number while it hangs: once an answer is overdue, further questions of that
 * lane (a partition) are refused at once, until it comes. So few commands wait in a hung Redis to be carried out later.
 */
export class BoundedCalls {
  readonly #timeoutMs: number;
  readonly #overdue = new Map<string, Set<Overdue>>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @throws CallsOverdue, or an error if no answer came in time or the connection broke
   */
  run<T>(lane: string, send: () => Promise<T>, { late, lost }: Aftermath<T> = {}): Promise<T> {
    if (this.#overdue.has(lane)) {
      return Promise.reject(new CallsOverdue('Redis has not answered an earlier command yet'));
    }
    return new Promise<T>((resolve, reject) => {
      let state: 'waiting' | 'overdue' | 'answered' = 'waiting';
      const call = { since: performance.now() };
      const giveUp = (): void => {
        if (state !== 'waiting') return;
        state = 'overdue';
        this.#add(lane, call);
        reject(new Error(`Redis did not answer within ${this.#timeoutMs} ms`));
      };
      // After the process itself was busy for long, timers run before the answers that came meanwhile: one more look.
      const timer = setTimeout(() => setImmediate(giveUp), this.#timeoutMs);
      const answered = (): boolean => {
        clearTimeout(timer);
        const inTime = state === 'waiting';
        if (!inTime) this.#remove(lane, call);
        state = 'answered';
        return inTime;
      };
      send().then(
        (result) => {
          if (answered()) resolve(result);
          else late?.(result);
        },
        (error: unknown) => {
          if (answered()) reject(error instanceof Error ? error : new Error(String(error)));
          if (mayHaveBeenCarriedOut(error)) lost?.();
        },
      );
    });
  }

  /** How long the oldest unanswered question has been waiting; 0: none is overdue. Milliseconds. */
  silentFor(): number {
    let oldest = Infinity;
    for (const calls of this.#overdue.values())
      for (const { since } of calls) oldest = Math.min(oldest, since);
    return oldest === Infinity ? 0 : performance.now() - oldest;
  }

  #add(lane: string, call: Overdue): void {
    const calls = this.#overdue.get(lane) ?? new Set();
    this.#overdue.set(lane, calls.add(call));
  }

  #remove(lane: string, call: Overdue): void {
    const calls = this.#overdue.get(lane);
    calls?.delete(call);
    if (calls?.size === 0) this.#overdue.delete(lane);
  }
}

/** Whether a command failed without Redis saying so, and not for want of a connection to send it on. */
function mayHaveBeenCarriedOut(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  return error.name !== 'ReplyError' && !error.message.includes('enableOfflineQueue options is false');
}
