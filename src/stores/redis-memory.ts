import { Redis } from 'ioredis';
import type { RedisClient } from './redis.ts';

/** A scrape that follows sooner gets the same answer. Milliseconds. */
const ASK_EVERY = 10_000;
const ANSWER_LIMIT = 1_000;

/** Bytes; `max` is 0 where there is no maximum. */
export interface RedisMemoryUse {
  used: number;
  max: number;
}

/** What Redis uses of its memory; in a cluster, the node that is nearest to its maximum. */
export class RedisMemory {
  readonly #redis: RedisClient;
  #askedAt = -Infinity;
  #answer: Promise<RedisMemoryUse | undefined> = Promise.resolve(undefined);

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Undefined where Redis does not answer. Never rejects, and takes a second at most. */
  use(): Promise<RedisMemoryUse | undefined> {
    if (performance.now() - this.#askedAt >= ASK_EVERY) {
      this.#askedAt = performance.now();
      this.#answer = within(ANSWER_LIMIT, this.#ask()).catch(() => undefined);
    }
    return this.#answer;
  }

  async #ask(): Promise<RedisMemoryUse | undefined> {
    const infos = await Promise.all(mastersOf(this.#redis).map((node) => node.info('memory')));
    return fullestOf(infos.map(memoryIn));
  }
}

/** The one Redis, or the masters of a cluster. */
export function mastersOf(redis: RedisClient): Redis[] {
  return redis instanceof Redis ? [redis] : redis.nodes('master');
}

/** The node that is nearest to its maximum; where there is none, the one that uses most. */
export function fullestOf(uses: readonly RedisMemoryUse[]): RedisMemoryUse | undefined {
  const share = ({ used, max }: RedisMemoryUse): number => (max === 0 ? 0 : used / max);
  return uses.toSorted((a, b) => share(b) - share(a) || b.used - a.used)[0];
}

export function memoryIn(info: string): RedisMemoryUse {
  const { used_memory: used, maxmemory: max } = parseInfo(info);
  return { used: Number(used), max: Number(max) };
}

/** What `INFO` answers: `name:value` lines under headings. */
export function parseInfo(text: string): Partial<Record<string, string>> {
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
