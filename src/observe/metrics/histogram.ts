import type { Registry } from 'prom-client';
import { Family, type Exemplar, type FamilyOptions, type Sample } from './families.ts';

/** Whether observations note which request they are of: from the first scrape on that can read it. */
export interface Exemplars {
  wanted: boolean;
}

/** Observations of one child, by bucket. */
export class Observations {
  readonly #bounds: readonly number[];
  readonly #exemplars: Exemplars;
  /** One more than there are bounds: the last counts what is above all of them. */
  readonly counts: Float64Array;
  /** Of each bucket, its last observation that names a request. */
  readonly last: (Exemplar | undefined)[] = [];
  sum = 0;

  constructor(bounds: readonly number[], exemplars: Exemplars) {
    this.#bounds = bounds;
    this.#exemplars = exemplars;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** @param requestId what the exemplar names */
  observe(value: number, requestId?: string): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
    if (!this.#exemplars.wanted || requestId === undefined) return;
    this.last[bucket] = { labelSet: { request_id: requestId }, value, timestamp: Date.now() / 1_000 };
  }
}

export interface HistogramOptions<Labels extends readonly string[]> extends FamilyOptions<Labels> {
  /** Upper bounds, ascending. */
  buckets: readonly number[];
  exemplars: Exemplars;
}

/** A histogram with fixed buckets: prom-client 15 has no native ones. */
export class HistogramFamily<const Labels extends readonly string[]> extends Family<Labels, Observations> {
  readonly type = 'histogram';
  readonly #bounds: readonly number[];
  readonly #exemplars: Exemplars;

  constructor(registry: Registry, options: HistogramOptions<Labels>) {
    super(registry, options);
    this.#bounds = options.buckets;
    this.#exemplars = options.exemplars;
  }

  protected create(): Observations {
    return new Observations(this.#bounds, this.#exemplars);
  }

  protected samples(): Sample[] {
    return this.children().flatMap(({ labels, child }) => {
      let count = 0;
      const buckets = [...child.counts].map((inBucket, index): Sample => {
        count += inBucket;
        const le = this.#bounds[index] ?? '+Inf';
        const exemplar = child.last[index];
        return { labels: { ...labels, le }, value: count, metricName: `${this.name}_bucket`, exemplar };
      });
      return [
        ...buckets,
        { labels, value: child.sum, metricName: `${this.name}_sum` },
        { labels, value: count, metricName: `${this.name}_count` },
      ];
    });
  }
}
