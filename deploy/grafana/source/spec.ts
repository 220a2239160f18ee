/** A line in a panel, or a number in it. */
export interface Query {
  /** PromQL. `$provider`, `$tier` and `$instance` are the dashboard's variables. */
  readonly expr: string;
  /** What it is called; `{{label}}` is a label's value. */
  readonly legend: string;
  /** Why it may have no data while all is well. Without it, traffic has to bring data: a test holds it to that. */
  readonly mayBeEmpty?: string;
  /** Its own, where the panel's do not fit it. */
  readonly thresholds?: Thresholds;
  /** Likewise. */
  readonly unit?: string;
}

export type Color = 'green' | 'orange' | 'red' | 'blue' | 'text';

/** Colours by value: the first is that of everything below the second's value. */
export type Thresholds = readonly [base: Color, ...steps: readonly (readonly [from: number, color: Color])[]];

interface Described {
  readonly title: string;
  /** What one sees there, and what good looks like. */
  readonly description: string;
  /** The heading in docs/operations.md that helps where it is not good. */
  readonly runbook: string;
  /** Of 24. */
  readonly width: number;
}

/** Numbers of this moment, or lines over time. */
export interface QueryPanel extends Described {
  readonly kind: 'numbers' | 'lines' | 'stacked';
  /** Grafana's name of a unit: `s`, `bytes`, `reqps`, `percentunit` … */
  readonly unit: string;
  readonly queries: readonly [Query, ...Query[]];
  readonly thresholds?: Thresholds;
  /** Words in place of values. */
  readonly words?: Readonly<Record<string, string>>;
  /** 1 for shares. */
  readonly max?: number;
  /** Where a click on a number leads: a dashboard's name. */
  readonly leadsTo?: DashboardName;
}

/** The alerts that are pending or firing, as Prometheus tells them. */
export interface AlertsPanel extends Described {
  readonly kind: 'alerts';
}

export type Panel = QueryPanel | AlertsPanel;

export interface Row {
  readonly title: string;
  /** Of its panels. Grid units of about 38 pixels. */
  readonly height: number;
  readonly panels: readonly Panel[];
}

/** A choice at the top of a dashboard. */
export interface Variable {
  readonly name: 'provider' | 'tier' | 'instance';
  readonly label: string;
  /** Grafana's function over Prometheus' labels: `label_values(metric, label)`. */
  readonly query: string;
}

export type DashboardName = 'overview' | 'limits' | 'providers' | 'stores' | 'instances';

export interface DashboardSpec {
  readonly name: DashboardName;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

export const provider: Variable = {
  name: 'provider',
  label: 'Provider',
  query: 'label_values(licensify_requests_total, provider)',
};

export const tier: Variable = {
  name: 'tier',
  label: 'Tier',
  query: 'label_values(licensify_requests_total, tier)',
};

export const instance: Variable = {
  name: 'instance',
  label: 'Gateway',
  query: 'label_values(up{job="gateway"}, instance)',
};

/** Nothing is expected; from one on it is a trouble. */
export const noneExpected: Thresholds = ['green', [1, 'red']];
export const noColors: Thresholds = ['blue'];

/** A quantile of a histogram, by some of its labels. */
export function quantile(q: number, histogram: string, matchers = '', by: readonly string[] = []): string {
  const labels = ['le', ...by].join(', ');
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${histogram}_bucket${matchers}[$__rate_interval])))`;
}
