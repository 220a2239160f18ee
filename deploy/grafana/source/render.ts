import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboards } from './dashboards.ts';
import { datasource, linkTo, runbookLink, uidOf } from './places.ts';
import { renderPanel } from './render-panel.ts';
import type { DashboardSpec, Variable } from './spec.ts';

/**
 * The dashboard as Grafana reads it from a file: in the classic form, since Grafana 12 provisions the newer one only with a
 * feature switched on.
 */
/* eslint-disable @typescript-eslint/no-deprecated */
export function renderDashboard(spec: DashboardSpec): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(`Licensify: ${spec.title}`)
    .uid(uidOf(spec.name))
    .description(spec.description)
    .tags(['licensify'])
    .timezone('utc')
    .readonly()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .refresh('15s')
    .time({ from: 'now-1h', to: 'now' })
    .variables([datasourceVariable(), ...spec.variables.map(renderVariable)])
    .links([
      ...dashboards.filter((other) => other !== spec).map(linkToOther),
      runbookLink('First look', 'Runbook'),
    ])
    .annotations([restarts()]);
  let id = 0;
  for (const { title, height, panels } of spec.rows) {
    builder.withRow(new dashboard.RowBuilder(title).id((id += 1)));
    for (const panel of panels)
      builder.withPanel(
        renderPanel(panel)
          .id((id += 1))
          .height(height)
          .span(panel.width),
      );
  }
  return builder.build();
}

/* eslint-enable @typescript-eslint/no-deprecated */

function datasourceVariable(): dashboard.DatasourceVariableBuilder {
  return new dashboard.DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus');
}

function renderVariable({ name, label, query }: Variable): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all', selected: true });
}

function linkToOther({ name, title, description }: DashboardSpec): dashboard.DashboardLinkBuilder {
  return linkTo(title, name).tooltip(description).keepTime(true).includeVars(true);
}

/** A line through every panel whenever a gateway started: a change of settings or version, or a crash. */
export const restartQuery = 'changes(process_start_time_seconds{job="gateway"}[1m]) > 0';

function restarts(): { build: () => dashboard.AnnotationQuery } {
  const annotation = new dashboard.AnnotationQueryBuilder()
    .name('Gateway started')
    .datasource(datasource)
    .enable(true)
    .iconColor('blue')
    .expr(restartQuery)
    .build();
  // What Prometheus' own annotations have besides: the SDK does not know it.
  return { build: () => ({ ...annotation, titleFormat: '{{instance}} started' }) };
}
