import type { Registry } from 'prom-client';
import { ReadFamily } from './families.ts';

/** Bytes. */
export interface Room {
  free: number;
  size: number;
}

/** Bytes; `max` is 0 where there is no maximum. */
export interface MemoryUse {
  used: number;
  max: number;
}

/** What is around the gateway and runs out: time of the certificate, disk, memory of Redis. */
export class SurroundingsMetrics {
  readonly #expiry;
  readonly #free;
  readonly #size;
  readonly #used;
  readonly #max;

  constructor(registry: Registry) {
    const gauge = <const Labels extends readonly string[]>(name: string, labels: Labels, help: string) =>
      new ReadFamily(registry, { name, help, labels, type: 'gauge' });
    this.#expiry = gauge(
      'licensify_certificate_expiry_timestamp_seconds',
      ['host'],
      'When the certificate that clients see at PUBLIC_URL ends, since the epoch',
    );
    this.#free = gauge('licensify_data_dir_free_bytes', [], 'What is free where the embedded database lies');
    this.#size = gauge('licensify_data_dir_size_bytes', [], 'The size of that file system');
    this.#used = gauge(
      'licensify_redis_memory_used_bytes',
      [],
      'Memory that Redis uses; in a cluster, the fullest node',
    );
    this.#max = gauge('licensify_redis_memory_max_bytes', [], 'Its maxmemory; 0: there is none');
  }

  /** @param expiry asked at each scrape, milliseconds since the epoch; undefined: not known */
  watchCertificate(host: string, expiry: () => number | undefined): void {
    this.#expiry.from(() => {
      const at = expiry();
      return at === undefined ? [] : [[host, at / 1_000]];
    });
  }

  /** @param room asked at each scrape */
  watchDataDir(room: () => Promise<Room | undefined>): void {
    this.#free.from(async () => rowsOf((await room())?.free));
    this.#size.from(async () => rowsOf((await room())?.size));
  }

  /** @param use asked at each scrape */
  watchRedisMemory(use: () => Promise<MemoryUse | undefined>): void {
    this.#used.from(async () => rowsOf((await use())?.used));
    this.#max.from(async () => rowsOf((await use())?.max));
  }
}

function rowsOf(value: number | undefined): [number][] {
  return value === undefined ? [] : [[value]];
}
