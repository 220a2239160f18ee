import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { RedisClient } from '../../stores/redis.ts';
import { TOLERANCE } from './verdict.ts';

/** By how much the clocks of instances may differ. Milliseconds. */
const CLOCKS_APART = 60_000;
/** No signature is good for longer: its time may lie as far ahead as behind. Milliseconds. */
const LONGEST = 2 * TOLERANCE + CLOCKS_APART;
/** About 60 MB each of the two generations. */
const MAX_REMEMBERED = 500_000;
/** After Redis has failed, whoever may do without it does not wait for it again for so long. Milliseconds. */
const AWAY_AFTER_FAILURE = 500;

/** A signature was good but could not be remembered. */
export class ReplaysUnavailable extends Error {
  override readonly name = 'ReplaysUnavailable';
}

interface Options {
  /** Where all instances remember; without it, or while it is away, each for itself. */
  redis: RedisClient | undefined;
  prefix: string;
  clock: Clock;
}

/** Remembers the signatures that were accepted, for as long as they would be accepted again. */
export class Replays {
  readonly #options: Options;
  readonly #memory: RecentSignatures;
  #failedAt = -Infinity;

  constructor(options: Options) {
    this.#options = options;
    this.#memory = new RecentSignatures(options.clock);
  }

  /**
   * Whether a signature is used for the first time; from now on it has been used.
   * @param acceptableUntil milliseconds since 1970
   * @param alone whether it may be accepted on this instance's own word while Redis is away
   * @throws ReplaysUnavailable, or Redis' error, where nobody can tell
   */
  async isFirst(signature: Buffer, acceptableUntil: number, alone: boolean): Promise<boolean> {
    const { redis, prefix, clock } = this.#options;
    const name = hash('sha256', signature, 'base64url');
    if (redis === undefined) return this.#memory.add(name);
    // It is remembered here as well, for the case that Redis goes away before the signature's time is over.
    if (alone && !this.#memory.add(name)) return false;
    if (alone && performance.now() - this.#failedAt < AWAY_AFTER_FAILURE) return true;
    const ttl = Math.max(0, Math.ceil(acceptableUntil - clock.now())) + CLOCKS_APART;
    try {
      return (await redis.set(`${prefix}:proof:${name}`, '1', 'PX', ttl, 'NX')) === 'OK';
    } catch (error) {
      this.#failedAt = performance.now();
      if (alone) return true;
      throw error;
    }
  }
}

/** Two generations of names: the older one is forgotten when nothing in it can be accepted any more. */
class RecentSignatures {
  readonly #clock: Clock;
  #current = new Set<string>();
  #previous = new Set<string>();
  #startedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** False if it was there already. @throws ReplaysUnavailable when it is full: to forget would be to accept again */
  add(name: string): boolean {
    const now = this.#clock.now();
    if (now - this.#startedAt >= LONGEST) {
      this.#previous = now - this.#startedAt < 2 * LONGEST ? this.#current : new Set();
      this.#current = new Set();
      this.#startedAt = now;
    }
    if (this.#current.has(name) || this.#previous.has(name)) return false;
    if (this.#current.size >= MAX_REMEMBERED)
      throw new ReplaysUnavailable(
        `${MAX_REMEMBERED} signatures are remembered: there is no room for another`,
      );
    this.#current.add(name);
    return true;
  }
}
