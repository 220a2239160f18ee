import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the proxy path reports. No label holds a license, a key, a device or a path with ids. */
export interface ProxyMetrics {
  admitted(tier: string, decision: { outcome: string; exceeded?: string }): void;
}

/** A request that has ended. Seconds. */
export interface EndedRequest {
  provider: string;
  tier: string;
  outcome: string;
  status: number;
  durationSeconds: number;
}

/** All of a gateway's metrics, in a registry of its own so that several gateways fit in one process. */
export class Metrics implements ProxyMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter;
  readonly #duration: Histogram;
  readonly #admissions: Counter;
  readonly #storeErrors: Counter;
  readonly #tiersChanges = new Counter({
    name: 'licensify_tiers_changes_total',
    help: 'New tiers that this instance was given, by whether they are in force or were refused',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly #mails = new Counter({
    name: 'licensify_mails_total',
    help: 'Tries to send a mail, by what came of them; after "failed" there is no further try',
    labelNames: ['kind', 'outcome'],
    registers: [this.registry],
  });

  /** @param openRequests asked at each scrape */
  constructor(version: string, openRequests: () => number) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Counter({
      name: 'licensify_requests_total',
      help: 'Requests under /proxy that have ended, by how they ended',
      labelNames: ['provider', 'tier', 'outcome', 'status'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'licensify_request_duration_seconds',
      help: 'Time from a request under /proxy to the end of its answer',
      labelNames: ['provider'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    });
    this.#admissions = new Counter({
      name: 'licensify_admissions_total',
      help: 'Decisions on whether a request may go: admitted, refused for the day or the month, or undecided',
      labelNames: ['tier', 'decision'],
      registers,
    });
    this.#storeErrors = new Counter({
      name: 'licensify_store_errors_total',
      help: 'Operations on a store that failed',
      labelNames: ['store'],
      registers,
    });
    new Gauge({
      name: 'licensify_open_requests',
      help: 'Requests under way, streams included',
      registers,
      collect() {
        this.set(openRequests());
      },
    });
    new Gauge({
      name: 'licensify_build_info',
      help: 'Always 1; the labels say what runs',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version, node: process.version }, 1);
  }

  ended({ provider, tier, outcome, status, durationSeconds }: EndedRequest): void {
    this.#requests.inc({ provider, tier, outcome, status });
    this.#duration.observe({ provider }, durationSeconds);
  }

  admitted(tier: string, decision: { outcome: string; exceeded?: string }): void {
    const { outcome, exceeded } = decision;
    this.#admissions.inc({ tier, decision: exceeded === undefined ? outcome : `${outcome}_${exceeded}` });
  }

  tiersChanged(outcome: 'replaced' | 'refused'): void {
    this.#tiersChanges.inc({ outcome });
  }

  mailed(kind: string, outcome: 'sent' | 'retried' | 'failed'): void {
    this.#mails.inc({ kind, outcome });
  }

  storeFailed(store: 'postgres' | 'redis'): void {
    this.#storeErrors.inc({ store });
  }
}
