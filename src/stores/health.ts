import { DatabaseUnavailable, isUnavailable, type DatabaseState } from './database.ts';

/**
 * What has been pending for so long makes us ask whether the database is there at all. With the time for its answer,
 * and what timers may be late, that stays within the second in which a request is told. Milliseconds.
 */
const PATIENCE = 200;
/** Mostly for the answer: a machine that is short of processors is slow to answer, and is there. Milliseconds. */
const ANSWER_WITHIN = 650;
const LOOK_EVERY = 50;
/** While it is away it is asked again so soon after each failure: its return is noticed within a second. Milliseconds. */
const ASK_AGAIN = 200;

/** Asks a database for a sign of life. */
export interface Probe {
  /** Whether an answer comes within so many milliseconds. Never rejects. */
  answers(limitMs: number): Promise<boolean>;
}

/**
 * Tells a database that is slow from one that is away. Work may take its time as long as the probe is answered: a queue
 * at a row lock and a busy machine are no outage. When the probe is not answered, all that waits is given up together,
 * and whatever comes is refused at once until the probe is answered again.
 */
export class DatabaseHealth implements DatabaseState {
  readonly #probe: Probe;
  readonly #onAway: () => void;
  readonly #onBack: () => void;
  /** How to give up each piece of pending work, and since when it is pending; the oldest comes first. */
  readonly #pending = new Map<() => void, number>();
  #looking: NodeJS.Timeout | undefined;
  #askingAgain: NodeJS.Timeout | undefined;
  #asking: Promise<boolean> | undefined;
  #answeredAt = -Infinity;
  #away = false;
  #closed = false;

  /** @param on.away told each time that there is no answer; it has to close the connections of what is given up */
  constructor(probe: Probe, on: { away: () => void; back: () => void }) {
    this.#probe = probe;
    this.#onAway = on.away;
    this.#onBack = on.back;
  }

  get away(): boolean {
    return this.#away;
  }

  /**
   * Settles as the work does, or before it when the database turns out to be away. The work itself goes on until
   * its connection is closed.
   * @throws DatabaseUnavailable
   */
  async guard<T>(work: Promise<T>): Promise<T> {
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(new DatabaseUnavailable('the database does not answer'));
    this.#pending.set(giveUp, performance.now());
    this.#looking ??= setInterval(() => this.#look(), LOOK_EVERY).unref();
    try {
      return await Promise.race([work, givenUp]);
    } catch (error) {
      // A connection that was refused or cut says more than any waiting; the others learn of it now.
      if (isUnavailable(error) && !this.#away) void this.ask();
      throw error;
    } finally {
      this.#pending.delete(giveUp);
    }
  }

  /** Whether the database answers now; those who ask at the same time share one answer. */
  ask(): Promise<boolean> {
    this.#asking ??= this.#probe.answers(ANSWER_WITHIN).then((answered) => {
      this.#asking = undefined;
      if (answered) this.#answered();
      else this.#unanswered();
      return answered;
    });
    return this.#asking;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#looking);
    clearTimeout(this.#askingAgain);
  }

  #look(): void {
    const [oldest] = this.#pending.values();
    if (oldest === undefined) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    } else if (performance.now() - Math.max(oldest, this.#answeredAt) >= PATIENCE) {
      void this.ask();
    }
  }

  #answered(): void {
    this.#answeredAt = performance.now();
    if (!this.#away) return;
    this.#away = false;
    this.#onBack();
  }

  #unanswered(): void {
    if (this.#closed) return;
    this.#away = true;
    for (const giveUp of [...this.#pending.keys()]) giveUp();
    this.#onAway();
    clearTimeout(this.#askingAgain); // somebody else may have asked in between
    this.#askingAgain = setTimeout(() => void this.ask(), ASK_AGAIN).unref();
  }
}
