import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import {
  datasetKey,
  partitionNames,
  partitionOf,
  ScriptKeys,
  streamKey,
} from '../../src/quota/partitions.ts';
import { defineScripts, readDecision } from '../../src/quota/scripts.ts';
import { spreadOf } from '../statistics.ts';
import type { Figure } from '../figures/figure.ts';
import { packCall } from '../../src/stores/usage-events.ts';

const PREFIX = 'licensify';
const LICENSES = 50_000;
const AT_ONCE = 1_000;
const ROUNDS = 5;
/** Days since 1970: any will do, as long as the ones after it are of the same month. */
const FIRST_DAY = Math.floor(Date.UTC(2026, 10, 2) / 86_400_000);

/** What counters and events take in a Redis that holds nothing else, made by the gateway's own script. */
export async function redisFigures(url: string): Promise<Figure[]> {
  const redis = new Redis(url);
  defineScripts(redis);
  try {
    const customers = await Customers.make(redis);
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
    console.error(`Redis ${version}: ${LICENSES} licenses over ${partitionNames.length} partitions`);
    const empty = await usedMemory(redis);
    await customers.admitEach(FIRST_DAY, { seed: true });
    const firstDay = ((await usedMemory(redis)) - empty) / LICENSES;
    const furtherDays = [];
    for (let day = FIRST_DAY + 1; day <= FIRST_DAY + 3; day += 1) {
      const before = await usedMemory(redis);
      await customers.admitEach(day, { seed: true });
      furtherDays.push(((await usedMemory(redis)) - before) / LICENSES);
    }
    const events = [];
    const script = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await usedMemory(redis);
      const cpuBefore = await cpuSeconds(redis);
      await customers.admitEach(FIRST_DAY + 3, { seed: false });
      script.push((((await cpuSeconds(redis)) - cpuBefore) * 1e6) / LICENSES);
      events.push(((await usedMemory(redis)) - before) / LICENSES);
      await customers.trim();
    }
    const [dayKey, monthKey] = await customers.counterSizes(FIRST_DAY + 3);
    return [
      { what: 'Redis: a day counter (MEMORY USAGE)', unit: 'B', value: spreadOf([dayKey]) },
      { what: 'Redis: a month counter (MEMORY USAGE)', unit: 'B', value: spreadOf([monthKey]) },
      {
        what: "Redis: a license's first day of a month, tables included",
        unit: 'B',
        value: spreadOf([firstDay]),
      },
      { what: 'Redis: each further day of it', unit: 'B', value: spreadOf(furtherDays) },
      { what: 'Redis: an event in the stream', unit: 'B', value: spreadOf(events) },
      { what: 'Redis: CPU of an admission, pipelined', unit: 'µs', value: spreadOf(script) },
    ];
  } finally {
    await redis.flushall();
    redis.disconnect();
  }
}

/** Seconds of CPU that a Redis has used so far. */
export async function cpuSeconds(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const read = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return read('used_cpu_user') + read('used_cpu_sys');
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

/** Licenses that are each admitted one request, as gateways would. */
class Customers {
  readonly #redis: Redis;
  readonly #scriptKeys = new ScriptKeys(PREFIX);
  readonly #datasets: ReadonlyMap<string, string>;
  readonly #licenses = Array.from({ length: LICENSES }, () => `lic_${randomBytes(12).toString('hex')}`);
  readonly #instance = randomBytes(6).toString('base64url');
  #count = 0;

  private constructor(redis: Redis, datasets: ReadonlyMap<string, string>) {
    this.#redis = redis;
    this.#datasets = datasets;
  }

  static async make(redis: Redis): Promise<Customers> {
    const datasets = new Map<string, string>();
    for (const partition of partitionNames) {
      const fresh = randomBytes(6).toString('base64url');
      datasets.set(partition, (await redis.licensifyDataset(datasetKey(PREFIX, partition), fresh, ''))[0]);
    }
    return new Customers(redis, datasets);
  }

  /** @param options.seed whether their counters are missing; their events are taken out of the streams again then */
  async admitEach(day: number, { seed }: { seed: boolean }): Promise<void> {
    for (let from = 0; from < LICENSES; from += AT_ONCE) {
      const some = this.#licenses.slice(from, from + AT_ONCE);
      const decisions = await Promise.all(
        some.map((license, index) => this.#admit(license, from + index, day, seed)),
      );
      const failed = decisions.find((decision) => decision !== 1);
      if (failed !== undefined) throw new Error(`an admission was answered with ${failed}`);
      if (seed) await this.trim();
    }
  }

  async trim(): Promise<void> {
    await Promise.all(this.#streams().map((stream) => this.#redis.xtrim(stream, 'MAXLEN', 0)));
  }

  async counterSizes(day: number): Promise<[day: number, month: number]> {
    const [, base] = this.#keys(this.#licenses[0] ?? '');
    const month = (await this.#redis.keys(`${base}:m:*`))[0] ?? '';
    const sizes = await Promise.all(
      [`${base}:d:${day}`, month].map((key) => this.#redis.memory('USAGE', key)),
    );
    return [sizes[0] ?? NaN, sizes[1] ?? NaN];
  }

  async #admit(license: string, device: number, day: number, seed: boolean): Promise<number> {
    const dataset = this.#datasets.get(partitionOf(license)) ?? '';
    const tag = `${this.#instance}${(this.#count += 1).toString(36)}`;
    const call = {
      licenseId: license,
      deviceId: 1_000_000 + device,
      provider: 'openai',
      model: 'gpt-4o-mini',
    };
    const seeds = seed ? [day, 40, 900, '0-0'] : [];
    const args = [dataset, `1000000 -1 1 ${day * 86_400_000}`, packCall(call), tag, ...seeds];
    return readDecision(await this.#redis.licensifyAdmit(...this.#keys(license), ...args)).decision;
  }

  #keys(license: string): [dataset: string, counters: string, stream: string] {
    const partition = partitionOf(license);
    const dataset = this.#datasets.get(partition) ?? '';
    return this.#scriptKeys.of(partition, dataset, license);
  }

  #streams(): string[] {
    return [...this.#datasets].map(([partition, dataset]) => streamKey(PREFIX, partition, dataset));
  }
}
