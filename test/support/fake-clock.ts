import type { Clock } from '../../src/clock.ts';

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number;

  /** @param start ISO 8601 */
  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  set(time: string): void {
    this.#now = Date.parse(time);
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
