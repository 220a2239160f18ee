/** A check that takes longer has failed: a health check has to be answered within a second. Milliseconds. */
const CHECK_LIMIT = 700;
/** What was found serves those who ask soon after: several load balancers ask every second or oftener. Milliseconds. */
const GOOD_FOR = 500;

/** What may be missing, in a sentence, and how to find out: it is missing where this rejects or hangs. */
export interface Check {
  problem: string;
  check: () => Promise<unknown>;
}

/**
 * Whether this gateway should get requests. Not before it listens, and not once it was asked to stop; otherwise always,
 * even while a store is away: all instances miss the same store, and a load balancer that took them all out would turn
 * a part of the product being away (new keys, activations) into all of it.
 */
export class Readiness {
  stage: 'starting up' | 'serving' | 'shutting down' = 'starting up';
  readonly #checks: Check[];
  #found: Promise<string[]> | undefined;

  constructor(checks: Check[]) {
    this.#checks = checks;
  }

  /** The sentences of what is missing at present. Resolves within a second. */
  problems(): Promise<string[]> {
    if (this.#found !== undefined) return this.#found;
    this.#found = Promise.all(this.#checks.map(problemOf)).then((found) => {
      setTimeout(() => (this.#found = undefined), GOOD_FOR).unref();
      return found.filter((problem) => problem !== undefined);
    });
    return this.#found;
  }
}

async function problemOf({ problem, check }: Check): Promise<string | undefined> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_LIMIT);
  try {
    await Promise.race([check(), tooLate]);
    return undefined;
  } catch {
    return problem;
  } finally {
    clearTimeout(timer);
  }
}
