import { dashboards } from '../../../deploy/grafana/source/dashboards.ts';
import { restartQuery } from '../../../deploy/grafana/source/render.ts';

/** A query as Grafana sends it. */
export interface AskedQuery {
  /** `overview / Stores` */
  readonly place: string;
  readonly expr: string;
  readonly mayBeEmpty: boolean;
}

/** What stands in for Grafana's own variables and for "All" of ours. */
const VALUES: Readonly<Record<string, string>> = {
  $__rate_interval: '1m',
  $__range: '1h',
  $provider: '.*',
  $tier: '.*',
  $instance: '.*',
};

/** Every query of every panel and annotation. @throws where one has a variable that its dashboard does not */
export function dashboardQueries(): AskedQuery[] {
  const ofPanels = dashboards.flatMap(({ name, rows, variables }) =>
    rows
      .flatMap(({ panels }) => panels)
      .flatMap((panel) => (panel.kind === 'alerts' ? [] : panel.queries.map((query) => ({ panel, query }))))
      .map(({ panel, query: { expr, mayBeEmpty } }) => ({
        place: `${name} / ${panel.title}`,
        expr: expr.replaceAll(/\$\w+/g, (variable) => {
          const isOurs = variables.some((one) => `$${one.name}` === variable);
          const value = isOurs || variable.startsWith('$__') ? VALUES[variable] : undefined;
          if (value === undefined) throw new Error(`${name} / ${panel.title}: nothing sets ${variable}`);
          return value;
        }),
        mayBeEmpty: mayBeEmpty !== undefined,
      })),
  );
  return [...ofPanels, { place: 'starts of gateways', expr: restartQuery, mayBeEmpty: true }];
}

/** The queries of the choices at the top of the dashboards. */
export function variableQueries(): { name: string; selector: string; label: string }[] {
  const all = dashboards.flatMap(({ variables }) => variables);
  return [...new Set(all)].map(({ name, query }) => {
    const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
    if (selector === undefined || label === undefined) throw new Error(`${name}: what is ${query}?`);
    return { name, selector, label };
  });
}
