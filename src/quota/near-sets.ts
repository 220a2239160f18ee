import type { RedisClient } from '../stores/redis.ts';
import type { NearSet, NearSets } from './near-limits.ts';

/** Longer than the window that a set is of. Seconds. */
const KEPT_FOR = { day: 2 * 86_400, month: 33 * 86_400 };

/** In this process, for a gateway that runs alone; what it has noted is noted anew after a restart. */
export class MemoryNearSets implements NearSets {
  readonly #sets = new Map<string, { set: NearSet; members: Set<string> }>();

  add(set: NearSet, licenseId: string): void {
    const kept = this.#sets.get(nameOf(set));
    if (kept !== undefined) {
      kept.members.add(licenseId);
      return;
    }
    for (const [name, { set: other }] of this.#sets) {
      if (other.window === set.window && other.number < set.number) this.#sets.delete(name);
    }
    this.#sets.set(nameOf(set), { set, members: new Set([licenseId]) });
  }

  remove(set: NearSet, licenseId: string): void {
    this.#sets.get(nameOf(set))?.members.delete(licenseId);
  }

  size(set: NearSet): number {
    return this.#sets.get(nameOf(set))?.members.size ?? 0;
  }
}

/** In Redis, of all instances together. What cannot be noted is noted with a later request. */
export class RedisNearSets implements NearSets {
  readonly #redis: RedisClient;
  readonly #prefix: string;

  /** @param redis a connection whose answers are bounded in time */
  constructor(redis: RedisClient, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  add(set: NearSet, licenseId: string): void {
    const key = this.#key(set);
    this.#redis.sadd(key, licenseId).catch(ignore);
    this.#redis.expire(key, KEPT_FOR[set.window]).catch(ignore);
  }

  remove(set: NearSet, licenseId: string): void {
    this.#redis.srem(this.#key(set), licenseId).catch(ignore);
  }

  size(set: NearSet): Promise<number | undefined> {
    return this.#redis.scard(this.#key(set)).catch(ignore);
  }

  #key(set: NearSet): string {
    return `${this.#prefix}:near:${nameOf(set)}`;
  }
}

function nameOf({ tier, window, number, level }: NearSet): string {
  return `${window}-${number}:${level}:${tier}`;
}

const ignore = (): undefined => undefined;
