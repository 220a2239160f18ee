import type { Registry } from 'prom-client';
import { ReadFamily } from './families.ts';
import { HistogramFamily, type Exemplars } from './histogram.ts';

/** The contract's bounds are 1 s, and 30 s while Redis is away. */
const REVOCATION_BUCKETS = [
  0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60,
];

/** What became of a change in this instance: cached sessions forgotten, or a request under way cut off. */
export type RevocationEffect = 'forgotten' | 'cut';

/** Keys looked up, and how soon changes of licenses take effect here. */
export class SessionMetrics {
  readonly #lookups;
  readonly #cached;
  readonly #live;
  readonly #revocation;

  constructor(registry: Registry, exemplars: Exemplars) {
    this.#lookups = new ReadFamily(registry, {
      name: 'licensify_session_lookups_total',
      help: 'Proxy keys looked up, by where the answer came from',
      labels: ['result'],
      type: 'counter',
    });
    this.#cached = new ReadFamily(registry, {
      name: 'licensify_sessions_cached',
      help: 'Proxy keys whose answer is in memory, unknown ones included',
      labels: [],
      type: 'gauge',
    });
    this.#live = new ReadFamily(registry, {
      name: 'licensify_announcements_live',
      help: 'Whether changes of licenses that other instances announce arrive at present',
      labels: [],
      type: 'gauge',
    });
    this.#revocation = new HistogramFamily(registry, {
      name: 'licensify_revocation_seconds',
      help: 'Time from the announcement of a change of a license to its effect in this instance',
      labels: ['effect'],
      buckets: REVOCATION_BUCKETS,
      exemplars,
    });
    this.#revocation.of('forgotten');
    this.#revocation.of('cut');
  }

  /** All asked at each scrape. */
  watch(sessions: {
    lookups: () => Readonly<Record<string, number>>;
    cached: () => number;
    live: () => boolean;
  }): void {
    this.#lookups.from(() => Object.entries(sessions.lookups()));
    this.#cached.from(() => [[sessions.cached()]]);
    this.#live.from(() => [[sessions.live() ? 1 : 0]]);
  }

  /** @param announcedAt milliseconds since the epoch, by the clock of the instance that announced it */
  tookEffect(effect: RevocationEffect, announcedAt: number): void {
    // Two machines' clocks may differ.
    this.#revocation.of(effect).observe(Math.max(0, Date.now() - announcedAt) / 1_000);
  }
}
