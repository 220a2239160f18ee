import type { Registry } from 'prom-client';

type LabelValues<Labels extends readonly string[]> = { [Index in keyof Labels]: string | number };

export interface FamilyOptions<Labels extends readonly string[]> {
  name: string;
  help: string;
  labels: Labels;
}

/** A line of the exposition, as prom-client's registry prints it. */
export interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName?: string;
  exemplar?: Exemplar | undefined;
}

/** What a bucket's last observation belongs to (OpenMetrics §4.6). */
export interface Exemplar {
  labelSet: { request_id: string };
  value: number;
  /** Seconds since the epoch. */
  timestamp: number;
}

/**
 * A metric and its children by label values. prom-client hashes an object of labels for each increment, and makes two
 * closures for each observation; here a child is found by walking maps, and counting is one addition (docs/performance.md).
 */
abstract class Family<Labels extends readonly string[], Child> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  abstract readonly type: 'counter' | 'gauge' | 'histogram';
  readonly #tree = new Map<string | number, unknown>();
  readonly #children: { labels: Record<string, string | number>; child: Child }[] = [];

  constructor(registry: Registry, { name, help, labels }: FamilyOptions<Labels>) {
    this.name = name;
    this.help = help;
    this.labelNames = labels;
    // The registry asks a metric for no more than its name, its type and get().
    registry.registerMetric(this as unknown as Parameters<Registry['registerMetric']>[0]);
  }

  /** The child with these label values, made at its first use. */
  of(...values: LabelValues<Labels>): Child {
    const last = values.length - 1;
    let branch = this.#tree;
    for (let index = 0; index < last; index += 1) {
      const value = values[index] ?? '';
      let next = branch.get(value) as Map<string | number, unknown> | undefined;
      if (next === undefined) branch.set(value, (next = new Map()));
      branch = next;
    }
    const value = values[last] ?? '';
    return (branch.get(value) as Child | undefined) ?? this.#add(branch, value, values);
  }

  /** What prom-client's registry reads. */
  async get(): Promise<{ name: string; help: string; type: string; values: Sample[]; aggregator: 'sum' }> {
    const { name, help, type } = this;
    return { name, help, type, values: await this.samples(), aggregator: 'sum' };
  }

  protected abstract create(): Child;
  protected abstract samples(): Sample[] | Promise<Sample[]>;

  protected children(): readonly { labels: Record<string, string | number>; child: Child }[] {
    return this.#children;
  }

  #add(branch: Map<string | number, unknown>, value: string | number, values: LabelValues<Labels>): Child {
    const child = this.create();
    branch.set(value, child);
    const labels = Object.fromEntries(this.labelNames.map((name, index) => [name, values[index] ?? '']));
    this.#children.push({ labels, child });
    return child;
  }
}

/** A count that only grows. */
export class Count {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

export class CounterFamily<const Labels extends readonly string[]> extends Family<Labels, Count> {
  readonly type = 'counter';

  protected create(): Count {
    return new Count();
  }

  protected samples(): Sample[] {
    return this.children().map(({ labels, child }) => ({ labels, value: child.value }));
  }
}

type Rows<Labels extends readonly string[]> = Iterable<readonly [...LabelValues<Labels>, number]>;

/** Asked at each scrape: label values in the order of their names, and the value. */
export type Source<Labels extends readonly string[]> = () => Rows<Labels> | Promise<Rows<Labels>>;

/** A metric that nobody counts for: what it shows is asked of its sources at each scrape. */
export class ReadFamily<const Labels extends readonly string[]> extends Family<Labels, never> {
  readonly type: 'counter' | 'gauge';
  readonly #sources: Source<Labels>[] = [];

  constructor(registry: Registry, options: FamilyOptions<Labels> & { type: 'counter' | 'gauge' }) {
    super(registry, options);
    this.type = options.type;
  }

  from(source: Source<Labels>): void {
    this.#sources.push(source);
  }

  protected create(): never {
    throw new Error(`${this.name} is read, not counted`);
  }

  protected async samples(): Promise<Sample[]> {
    const answers = await Promise.all(this.#sources.map(async (source) => source()));
    const rows = answers.flatMap((answer) => [...answer]) as (readonly (string | number)[])[];
    return rows.map((row) => ({
      labels: Object.fromEntries(this.labelNames.map((name, index) => [name, row[index] ?? ''])),
      value: Number(row.at(-1)),
    }));
  }
}

export { Family };
