import { readFileSync } from 'node:fs';
import type { Redis, Result } from 'ioredis';
import type { Clock } from '../clock.ts';
import {
  bookingsOf,
  type Admission,
  type Call,
  type CounterSource,
  type Decision,
  type QuotaLimits,
  type Settlement,
  type Ticket,
  type Used,
} from './admission.ts';
import { counterKey, partitionOf, streamKey } from './partitions.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    licensifyAdmit(...args: (string | number)[]): Result<number[], Context>;
    licensifySettle(...args: (string | number)[]): Result<number, Context>;
    licensifyUsed(...args: (string | number)[]): Result<number[], Context>;
  }
}

const COLD = 0;
const ADMITTED = 1;
const DAY_USED_UP = 2;

/** A day may end between reading the ledger and calling again, once; more than that is a fault. */
const MAX_TRIES = 4;

/** Counts in Redis, for any number of instances: each decision is one call of a Lua script there. */
export class RedisAdmission implements Admission {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #source: CounterSource;
  readonly #clock: Clock | undefined;
  readonly #warming = new Map<string, Promise<{ today: number; thisMonth: number }>>();

  /** @param options.clock replaces Redis' own clock, for tests */
  constructor(options: { redis: Redis; prefix: string; source: CounterSource; clock?: Clock | undefined }) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#source = options.source;
    this.#clock = options.clock;
    defineScripts(options.redis);
  }

  async admit(call: Call, limits: QuotaLimits): Promise<Decision> {
    const { licenseId, deviceId, provider, model } = call;
    const keys = [counterKey(this.#prefix, licenseId), streamKey(this.#prefix, partitionOf(licenseId))];
    const args = [limits.daily, limits.monthly, this.#now(), licenseId, deviceId, provider, model];
    try {
      let seed: number[] = [];
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const [decision, day = 0, today = 0, thisMonth = 0] = await this.#redis.licensifyAdmit(
          ...keys,
          ...args,
          ...seed,
        );
        const used = { day, today, thisMonth };
        if (decision === ADMITTED) return { outcome: 'admitted', ticket: { call, day }, used };
        if (decision !== COLD) {
          return { outcome: 'refused', exceeded: decision === DAY_USED_UP ? 'day' : 'month', used };
        }
        const counts = await this.#warm(licenseId, day);
        seed = [day, counts.today, counts.thisMonth];
      }
      throw new Error(`the counters of ${licenseId} stayed cold after ${MAX_TRIES} seedings`);
    } catch (cause) {
      return { outcome: 'unavailable', cause };
    }
  }

  async settle(ticket: Ticket, settlement: Settlement): Promise<void> {
    const bookings = bookingsOf(ticket, settlement);
    if (bookings.length === 0) return;
    const { licenseId } = ticket.call;
    await this.#redis.licensifySettle(
      counterKey(this.#prefix, licenseId),
      streamKey(this.#prefix, partitionOf(licenseId)),
      ticket.day,
      settlement.refund ? '1' : '0',
      ...bookings.flatMap((b) => [b.licenseId, b.deviceId, b.provider, b.model, b.requests, b.refunded]),
    );
  }

  async used(licenseId: string): Promise<Used> {
    const key = counterKey(this.#prefix, licenseId);
    const [warm, day = 0, today = 0, thisMonth = 0] = await this.#redis.licensifyUsed(key, this.#now());
    if (warm === 1) return { day, today, thisMonth };
    return { day, ...(await this.#warm(licenseId, day)) };
  }

  /** Requests of this instance that find the same counter missing share one reading of the ledger. */
  #warm(licenseId: string, day: number): Promise<{ today: number; thisMonth: number }> {
    const key = `${licenseId} ${day}`;
    let warming = this.#warming.get(key);
    if (warming === undefined) {
      warming = this.#source.countsOf(licenseId, day).finally(() => this.#warming.delete(key));
      this.#warming.set(key, warming);
    }
    return warming;
  }

  #now(): string | number {
    return this.#clock?.now() ?? '';
  }
}

function defineScripts(redis: Redis): void {
  const read = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
  const script = (name: string): string => `${read('windows')}\n${read(name)}`;
  redis.defineCommand('licensifyAdmit', { numberOfKeys: 2, lua: script('admit') });
  redis.defineCommand('licensifySettle', { numberOfKeys: 2, lua: script('settle') });
  redis.defineCommand('licensifyUsed', { numberOfKeys: 1, lua: script('used') });
}
