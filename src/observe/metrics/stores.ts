import type { Registry } from 'prom-client';
import { CounterFamily, ReadFamily, type Source } from './families.ts';
import { HistogramFamily, type Exemplars } from './histogram.ts';

export type StoreName = 'postgres' | 'redis';

/** What a connection or a pool is for. */
export type StoreUse = 'counters' | 'ledger' | 'general' | 'sessions' | 'licensing' | 'embedded';

/** Told of each operation that was answered, failed or given up. */
export type OperationReport = (milliseconds: number, failed: boolean) => void;

const BUCKETS = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5,
];

/** PostgreSQL and Redis as this instance sees them. */
export class StoreMetrics {
  readonly #duration;
  readonly #errors;
  readonly #dataLosses;
  readonly #up;
  readonly #connections;
  readonly #waiting;
  readonly #limit;

  constructor(registry: Registry, exemplars: Exemplars) {
    const gauge = <const Labels extends readonly string[]>(name: string, labels: Labels, help: string) =>
      new ReadFamily(registry, { name, help, labels, type: 'gauge' });
    this.#duration = new HistogramFamily(registry, {
      name: 'licensify_store_operation_duration_seconds',
      help: 'Time from a command or query to its answer, or to when it was given up',
      labels: ['store', 'use'],
      buckets: BUCKETS,
      exemplars,
    });
    this.#errors = new CounterFamily(registry, {
      name: 'licensify_store_errors_total',
      help: 'Connections to a store that failed, and operations that failed or were not answered in time',
      labels: ['store', 'kind'],
    });
    this.#dataLosses = new CounterFamily(registry, {
      name: 'licensify_redis_data_losses_total',
      help: 'Partitions of which Redis was found to have lost data that the ledger or this instance knows of',
      labels: [],
    });
    this.#up = gauge(
      'licensify_store_up',
      ['store'],
      'Whether the store answered when it was last asked; absent where it is embedded',
    );
    this.#connections = gauge(
      'licensify_postgres_connections',
      ['pool', 'state'],
      'Connections of a pool, in use and idle',
    );
    this.#waiting = gauge(
      'licensify_postgres_connection_waiters',
      ['pool'],
      'Queries that wait for a connection of a pool',
    );
    this.#limit = gauge(
      'licensify_postgres_connections_max',
      ['pool'],
      'Connections that a pool may open at most',
    );
    this.#dataLosses.of();
    for (const store of ['postgres', 'redis']) {
      for (const kind of ['connection', 'operation']) this.#errors.of(store, kind);
    }
  }

  connectionFailed(store: StoreName): void {
    this.#errors.of(store, 'connection').add();
  }

  dataLost(partitions: number): void {
    this.#dataLosses.of().add(partitions);
  }

  /** For the operations of one store and use; its children are looked up once. */
  operations(store: StoreName, use: StoreUse): OperationReport {
    const duration = this.#duration.of(store, use);
    const errors = this.#errors.of(store, 'operation');
    return (milliseconds, failed) => {
      duration.observe(milliseconds / 1_000);
      if (failed) errors.add();
    };
  }

  /** @param isUp asked at each scrape */
  watch(store: StoreName, isUp: () => boolean): void {
    this.#up.from(() => [[store, isUp() ? 1 : 0]]);
  }

  /** @param use asked at each scrape */
  watchPool(pool: string, use: () => { used: number; idle: number; waiting: number; max: number }): void {
    const states: Source<readonly ['pool', 'state']> = () => [
      [pool, 'used', use().used],
      [pool, 'idle', use().idle],
    ];
    this.#connections.from(states);
    this.#waiting.from(() => [[pool, use().waiting]]);
    this.#limit.from(() => [[pool, use().max]]);
  }
}
