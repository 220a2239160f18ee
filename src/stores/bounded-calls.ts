import type { OperationReport } from './operation-report.ts';

/** Given up without asking: an earlier question of the same lane remained without an answer. */
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

/** What of a lane is overdue, and who waits for it. */
interface Lane {
  calls: Set<Overdue>;
  cleared: Promise<undefined>;
  clear: () => void;
}

/**
 * Bounds questions to Redis in time, and in number while it hangs: once an answer is overdue, further questions of that
 * lane (a partition) wait for it here, within their own time. So few commands wait in a hung Redis to be carried out
 * later, and a short stall refuses nobody.
 */
export class BoundedCalls {
  readonly #timeoutMs: number;
  readonly #report: OperationReport | undefined;
  readonly #overdue = new Map<string, Lane>();

  constructor(timeoutMs: number, report?: OperationReport) {
    this.#timeoutMs = timeoutMs;
    this.#report = report;
  }

  /**
   * @throws CallsOverdue, or an error if no answer came in time or the connection broke
   */
  async run<T>(lane: string, send: () => Promise<T>, aftermath: Aftermath<T> = {}): Promise<T> {
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      const overdue = this.#overdue.get(lane);
      if (overdue === undefined) break;
      await this.#cleared(overdue, deadline - performance.now());
    }
    return this.#ask(lane, send, aftermath, deadline - performance.now());
  }

  #ask<T>(lane: string, send: () => Promise<T>, { late, lost }: Aftermath<T>, limitMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let state: 'waiting' | 'overdue' | 'answered' = 'waiting';
      const call = { since: performance.now() };
      const giveUp = (): void => {
        if (state !== 'waiting') return;
        state = 'overdue';
        this.#report?.(performance.now() - call.since, true);
        this.#add(lane, call);
        reject(new Error(`Redis did not answer within ${this.#timeoutMs} ms`));
      };
      // After the process itself was busy for long, timers run before the answers that came meanwhile: one more look.
      const timer = setTimeout(() => setImmediate(giveUp), Math.max(1, limitMs));
      const answered = (failed: boolean): boolean => {
        clearTimeout(timer);
        const inTime = state === 'waiting';
        if (inTime) this.#report?.(performance.now() - call.since, failed);
        else this.#remove(lane, call);
        state = 'answered';
        return inTime;
      };
      send().then(
        (result) => {
          if (answered(false)) resolve(result);
          else late?.(result);
        },
        (error: unknown) => {
          if (answered(true)) reject(error instanceof Error ? error : new Error(String(error)));
          if (mayHaveBeenCarriedOut(error)) lost?.();
        },
      );
    });
  }

  /** Resolves when nothing of a lane is overdue any more. @throws CallsOverdue after so many milliseconds */
  async #cleared(lane: Lane, withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_resolve, reject) => {
      const error = new CallsOverdue('Redis has not answered an earlier command yet');
      timer = setTimeout(() => setImmediate(reject, error), Math.max(0, withinMs));
    });
    try {
      await Promise.race([lane.cleared, tooLong]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** How long the oldest unanswered question has been waiting; 0: none is overdue. Milliseconds. */
  silentFor(): number {
    let oldest = Infinity;
    for (const { calls } of this.#overdue.values())
      for (const { since } of calls) oldest = Math.min(oldest, since);
    return oldest === Infinity ? 0 : performance.now() - oldest;
  }

  #add(name: string, call: Overdue): void {
    let lane = this.#overdue.get(name);
    if (lane === undefined) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      lane = { calls: new Set(), cleared: promise, clear: () => resolve(undefined) };
      this.#overdue.set(name, lane);
    }
    lane.calls.add(call);
  }

  #remove(name: string, call: Overdue): void {
    const lane = this.#overdue.get(name);
    lane?.calls.delete(call);
    if (lane?.calls.size !== 0) return;
    this.#overdue.delete(name);
    lane.clear();
  }
}

/** Whether a command failed without Redis saying so, and not for want of a connection to send it on. */
function mayHaveBeenCarriedOut(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  return error.name !== 'ReplyError' && !error.message.includes('enableOfflineQueue options is false');
}
