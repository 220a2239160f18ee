import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { datasource, linkTo, runbookLink } from './places.ts';
import { noColors, type Panel, type Query, type QueryPanel, type Thresholds } from './spec.ts';

/** A panel, but for its place. */
export function renderPanel(
  panel: Panel,
): dashboard.PanelBuilder | stat.PanelBuilder | timeseries.PanelBuilder {
  const common = panel.kind === 'alerts' ? alertList() : queryPanel(panel);
  return common
    .title(panel.title)
    .description(`${panel.description}\n\nIf it is not: docs/operations.md, _${panel.runbook}_.`)
    .links([runbookLink(panel.runbook)]);
}

/** Grafana's panel "Alert list", for which the SDK has no builder (public/app/plugins/panel/alertlist/types.ts there). */
function alertList(): dashboard.PanelBuilder {
  return new dashboard.PanelBuilder().type('alertlist').options({
    viewMode: 'list',
    groupMode: 'default',
    groupBy: [],
    maxItems: 20,
    sortOrder: 3, // by importance
    dashboardAlerts: false,
    alertName: '',
    alertInstanceLabelFilter: '',
    showInstances: true,
    datasource: 'Prometheus',
    stateFilter: { firing: true, pending: true, recovering: true, noData: true, normal: false, error: true },
  });
}

function queryPanel(panel: QueryPanel): stat.PanelBuilder | timeseries.PanelBuilder {
  const builder = panel.kind === 'numbers' ? numbers(panel) : lines(panel);
  builder
    .datasource(datasource)
    .unit(panel.unit)
    .thresholds(renderThresholds(panel.thresholds ?? noColors))
    .targets(panel.queries.map((query, index) => renderQuery(query, index, panel.kind === 'numbers')));
  for (const [index, { thresholds, unit }] of panel.queries.entries()) {
    const own: dashboard.DynamicConfigValue[] = [];
    if (thresholds !== undefined) own.push({ id: 'thresholds', value: renderThresholds(thresholds).build() });
    if (unit !== undefined) own.push({ id: 'unit', value: unit });
    if (own.length > 0) builder.overrideByQuery(refId(index), own);
  }
  if (panel.words !== undefined)
    builder.mappings([
      {
        type: dashboard.MappingType.ValueToText,
        options: Object.fromEntries(Object.entries(panel.words).map(([value, text]) => [value, { text }])),
      },
    ]);
  if (panel.max !== undefined) builder.max(panel.max);
  return builder;
}

function numbers({ leadsTo, queries, unit }: QueryPanel): stat.PanelBuilder {
  const builder = new stat.PanelBuilder()
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .colorMode(common.BigValueColorMode.Background)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(queries.length > 1 || queries[0].legend.includes('{{') ? valueAndName : justValue)
    .noValue('none');
  if (unit === 'percentunit') builder.decimals(2);
  if (leadsTo !== undefined) builder.dataLinks([linkTo('Look closer', leadsTo, '?${__url_time_range}')]);
  return builder;
}

const valueAndName = common.BigValueTextMode.ValueAndName;
const justValue = common.BigValueTextMode.Value;

function lines({ kind, thresholds }: QueryPanel): timeseries.PanelBuilder {
  const builder = new timeseries.PanelBuilder()
    .min(0)
    .lineWidth(1)
    .fillOpacity(kind === 'stacked' ? 40 : 0)
    .showPoints(common.VisibilityMode.Never)
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassicByName))
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    );
  if (kind === 'stacked')
    builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
  if (thresholds !== undefined)
    builder.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  return builder;
}

function renderThresholds([base, ...steps]: Thresholds): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))]);
}

function renderQuery({ expr, legend }: Query, index: number, isInstant: boolean): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .refId(refId(index))
    .datasource(datasource)
    .expr(expr)
    .legendFormat(legend);
  return isInstant ? query.instant() : query.range();
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}
