import type { Logger } from './log.ts';

/** A trouble that lasts is mentioned again this often. Milliseconds. */
const REMIND_EVERY = 30_000;

/**
 * Logs a trouble that repeats, such as a store that is away: when it begins, every half minute while it lasts, and when
 * it is over; not at each of hundreds of tries a minute.
 */
export class Trouble {
  readonly #log: Logger;
  readonly #what: string;
  #failures = 0;
  #mentionedAt = -Infinity;

  /** @param what a sentence such as `Redis cannot be reached` */
  constructor(log: Logger, what: string) {
    this.#log = log;
    this.#what = what;
  }

  failed(err: unknown): void {
    this.#failures += 1;
    const now = performance.now();
    if (now - this.#mentionedAt < REMIND_EVERY) return;
    this.#mentionedAt = now;
    this.#log.error({ err, failures: this.#failures }, this.#what);
  }

  succeeded(): void {
    if (this.#failures === 0) return;
    this.#log.info({ failures: this.#failures }, `over: ${this.#what}`);
    this.#failures = 0;
    this.#mentionedAt = -Infinity;
  }
}
