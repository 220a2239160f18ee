import type { Registry } from 'prom-client';
import { CounterFamily, ReadFamily } from './families.ts';
import { decisions, endsOfATier, endsWithoutTier, providerNames, type CountedTier } from './from-zero.ts';
import { HistogramFamily, type Exemplars } from './histogram.ts';
import { upstreamErrorOf, upstreamErrors } from './upstream-errors.ts';

/** A request under /proxy that has ended. Seconds and bytes. */
export interface EndedRequest {
  id: string;
  provider: string;
  tier: string;
  outcome: string;
  /** 0: it ended without one. */
  status: number;
  stream: boolean;
  duration: number;
  /** Undefined where it was not passed on. */
  overhead: number | undefined;
  /** Undefined where the provider did not answer. */
  firstByte: number | undefined;
  received: number;
  sent: number;
}

/** A request to one of our own endpoints that has ended. Seconds. */
export interface EndedCall {
  endpoint: string;
  status: number;
  duration: number;
}

export type AdmissionOutcome =
  | { outcome: 'admitted'; used: unknown }
  | { outcome: 'refused'; exceeded: string }
  | { outcome: 'unavailable' };

/** From half a millisecond, which is what the gateway takes, to what clients give up at. */
const OVERHEAD_BUCKETS = [
  0.000_5, 0.001, 0.001_5, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5,
];
/** A model's first word takes from 50 ms to a minute of thought. */
const FIRST_BYTE_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120];
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const ENDPOINT_BUCKETS = [0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What became of requests, how long they took and what they weighed. */
export class RequestMetrics {
  readonly #counts;
  readonly #times;

  /** @param open asked at each scrape */
  constructor(registry: Registry, exemplars: Exemplars, open: () => Iterable<{ stream: boolean }>) {
    this.#counts = countsIn(registry);
    this.#times = timesIn(registry, exemplars);
    addOpenRequests(registry, open);
    const { requests, upstreamErrors: errors } = this.#counts;
    for (const provider of providerNames) {
      for (const kind of upstreamErrors) errors.of(provider, kind);
      for (const [outcome, status] of endsWithoutTier) requests.of(provider, 'none', outcome, status);
      this.#times.overhead.of(provider);
    }
  }

  /** Has the counters of tiers that come into force begin at 0; those of tiers that are gone stay as they are. */
  addTiers(tiers: Iterable<CountedTier>): void {
    const { requests, admissions, outageAdmissions } = this.#counts;
    for (const { id, onCounterOutage } of tiers) {
      for (const [decision, window] of decisions) admissions.of(id, decision, window);
      if (onCounterOutage === 'allow') outageAdmissions.of(id);
      for (const provider of providerNames) {
        for (const [outcome, status] of endsOfATier) requests.of(provider, id, outcome, status);
      }
    }
  }

  ended(request: EndedRequest): void {
    const { id, provider, tier, outcome, status, stream, firstByte, overhead } = request;
    this.#counts.requests.of(provider, tier, outcome, status).add();
    this.#times.duration.of(provider, stream ? 'true' : 'false').observe(request.duration, id);
    if (overhead !== undefined) this.#times.overhead.of(provider).observe(overhead, id);
    if (firstByte !== undefined) {
      this.#times.firstByte.of(provider, stream ? 'true' : 'false').observe(firstByte, id);
    }
    this.#counts.received.of(provider).add(request.received);
    this.#counts.sent.of(provider).add(request.sent);
    const error = upstreamErrorOf(outcome, status, firstByte !== undefined);
    if (error !== undefined) this.#counts.upstreamErrors.of(provider, error).add();
  }

  endpointEnded({ endpoint, status, duration }: EndedCall): void {
    this.#times.endpoints.of(endpoint, status).observe(duration);
  }

  admitted(tier: string, decision: AdmissionOutcome): void {
    const window = decision.outcome === 'refused' ? decision.exceeded : 'none';
    this.#counts.admissions.of(tier, decision.outcome, window).add();
    // What the counters decided says how much is used.
    if (decision.outcome === 'admitted' && decision.used === undefined)
      this.#counts.outageAdmissions.of(tier).add();
  }
}

function countsIn(registry: Registry) {
  const counter = <const Labels extends readonly string[]>(name: string, labels: Labels, help: string) =>
    new CounterFamily(registry, { name, help, labels });
  return {
    requests: counter(
      'licensify_requests_total',
      ['provider', 'tier', 'outcome', 'status'],
      'Requests under /proxy that have ended, by how they ended',
    ),
    admissions: counter(
      'licensify_admissions_total',
      ['tier', 'decision', 'window'],
      'Decisions on whether a request may go, and the window that was used up where it was refused',
    ),
    outageAdmissions: counter(
      'licensify_outage_admissions_total',
      ['tier'],
      'Requests that this instance admitted by itself while the counters could not be asked',
    ),
    upstreamErrors: counter(
      'licensify_upstream_errors_total',
      ['provider', 'kind'],
      'Requests that a provider failed, by what went wrong',
    ),
    received: counter(
      'licensify_request_bytes_total',
      ['provider'],
      'Bytes of requests under /proxy as they came from clients, heads included',
    ),
    sent: counter(
      'licensify_response_bytes_total',
      ['provider'],
      'Bytes of answers under /proxy as they went to clients, heads included',
    ),
  };
}

function timesIn(registry: Registry, exemplars: Exemplars) {
  const histogram = <const Labels extends readonly string[]>(
    name: string,
    labels: Labels,
    buckets: readonly number[],
    help: string,
  ) => new HistogramFamily(registry, { name, help, labels, buckets, exemplars });
  return {
    duration: histogram(
      'licensify_request_duration_seconds',
      ['provider', 'stream'],
      DURATION_BUCKETS,
      'Time from a request under /proxy to the end of its answer',
    ),
    firstByte: histogram(
      'licensify_time_to_first_byte_seconds',
      ['provider', 'stream'],
      FIRST_BYTE_BUCKETS,
      'Time from passing a request on to the head of its answer from the provider',
    ),
    overhead: histogram(
      'licensify_overhead_seconds',
      ['provider'],
      OVERHEAD_BUCKETS,
      'Time that the gateway itself added to a request that it passed on, the stores it asked included',
    ),
    endpoints: histogram(
      'licensify_endpoint_duration_seconds',
      ['endpoint', 'status'],
      ENDPOINT_BUCKETS,
      'Time from a request to one of our own endpoints, such as /activate, to the end of its answer',
    ),
  };
}

function addOpenRequests(registry: Registry, open: () => Iterable<{ stream: boolean }>): void {
  const gauge = (name: string, help: string): ReadFamily<readonly []> =>
    new ReadFamily(registry, { name, help, type: 'gauge', labels: [] });
  gauge('licensify_open_requests', 'Requests under way, streams included').from(() => [[[...open()].length]]);
  gauge('licensify_open_streams', 'Event streams that are being passed on').from(() => {
    let streams = 0;
    for (const { stream } of open()) if (stream) streams += 1;
    return [[streams]];
  });
}
