import type { Registry } from 'prom-client';
import { CounterFamily, ReadFamily } from './families.ts';

/** What this instance has admitted and does not know to be in the ledger. */
export interface Waiting {
  events: number;
  /** Of the oldest of them; 0: there is none. */
  seconds: number;
}

/** Licenses that have used so much of a window; `100` are among `80` too. */
export interface NearLimit {
  tier: string;
  window: 'day' | 'month';
  level: '80' | '100';
  licenses: number;
}

/** Counters and the ledger behind them. */
export class CountingMetrics {
  readonly #lag;
  readonly #waiting;
  readonly #written;
  readonly #failures;
  readonly #nearLimit;

  constructor(registry: Registry) {
    this.#lag = new ReadFamily(registry, {
      name: 'licensify_ledger_lag_seconds',
      help: 'Age of the oldest event that this instance does not know to be in the ledger; 0: there is none',
      labels: [],
      type: 'gauge',
    });
    this.#waiting = new ReadFamily(registry, {
      name: 'licensify_ledger_waiting_events',
      help: 'Events that this instance made and does not know to be in the ledger',
      labels: [],
      type: 'gauge',
    });
    this.#written = new ReadFamily(registry, {
      name: 'licensify_ledger_events_total',
      help: 'Events that this instance wrote to the ledger, of whichever instance they are',
      labels: [],
      type: 'counter',
    });
    this.#failures = new CounterFamily(registry, {
      name: 'licensify_ledger_failures_total',
      help: 'Rounds of writing to the ledger that failed; what they left is tried again',
      labels: [],
    });
    this.#nearLimit = new ReadFamily(registry, {
      name: 'licensify_licenses_near_limit',
      help: 'Licenses that have used 80 % or all of a window, in all instances together',
      labels: ['tier', 'window', 'level'],
      type: 'gauge',
    });
    this.#failures.of();
  }

  ledgerFailed(): void {
    this.#failures.of().add();
  }

  /** Both asked at each scrape. */
  watchLedger(ledger: { waiting: () => Waiting; written: () => number }): void {
    this.#lag.from(() => [[ledger.waiting().seconds]]);
    this.#waiting.from(() => [[ledger.waiting().events]]);
    this.#written.from(() => [[ledger.written()]]);
  }

  /** @param counts asked at each scrape */
  watchNearLimit(counts: () => Promise<NearLimit[]>): void {
    this.#nearLimit.from(async () =>
      (await counts()).map(({ tier, window, level, licenses }) => [tier, window, level, licenses] as const),
    );
  }
}
