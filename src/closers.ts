import type { Logger } from './observe/log.ts';

/** What was opened is closed in the opposite order, each step even if one before it failed. */
export class Closers {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.unshift(close);
  }

  async closeAll(log: Logger): Promise<void> {
    for (const close of this.#closers.splice(0)) {
      try {
        await close();
      } catch (err) {
        log.error({ err }, 'closing failed');
      }
    }
  }
}
