/** Lets those who want to work on the same thing at the same time take turns, in the order in which they came. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Resolves or rejects as the work does. */
  async take<T>(thing: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(thing);
    const mine = before === undefined ? work() : before.then(work);
    const over = mine.catch(() => undefined);
    this.#last.set(thing, over);
    try {
      return await mine;
    } finally {
      if (this.#last.get(thing) === over) this.#last.delete(thing);
    }
  }
}
