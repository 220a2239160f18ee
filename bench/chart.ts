import * as echarts from 'echarts';
import type { RowResult } from './report.ts';
import { summarize, type Summary } from './report.ts';

const WIDTH = 860;
const BAR = 26;
const TITLE = 48;
const GAP = 26;

const colors: Readonly<Record<string, string>> = { gateway: '#1f6feb', envelope: '#58a6ff', bare: '#6e7781' };
const OTHERS = '#afb8c1';

/** CPU for 1,000 requests (events, in streams), a panel for each row, as SVG; a line spans the least and the most. */
export function chartOf(results: readonly RowResult[], subtitle: string): string {
  const panels = results.map((result) => {
    const summaries = summarize(result).filter((summary) => summary.cpuMsPerThousand !== undefined);
    return { row: result.row, summaries: summaries.toReversed() };
  });
  const tops: number[] = [];
  let height = 56;
  for (const { summaries } of panels) {
    tops.push(height + TITLE);
    height += TITLE + summaries.length * BAR + GAP;
  }
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const perThousand = (events: number | undefined): string => (events === undefined ? 'requests' : 'events');
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: [
      { text: 'CPU milliseconds for 1,000 requests', subtext: subtitle, left: 8, top: 4 },
      ...panels.map(({ row }, index) => ({
        text: `${row.title} (1,000 ${perThousand(row.events)})`,
        left: 8,
        top: (tops[index] ?? 0) - 26,
        textStyle: { fontSize: 13 },
      })),
    ],
    grid: panels.map(({ summaries }, index) => ({
      left: 90,
      right: 90,
      top: tops[index],
      height: summaries.length * BAR,
    })),
    xAxis: panels.map((_, gridIndex) => ({
      ...{ type: 'value', gridIndex, splitLine: { show: false } },
      axisLabel: { show: false },
    })),
    yAxis: panels.map(({ summaries }, gridIndex) => ({
      ...{ type: 'category', gridIndex, axisTick: { show: false } },
      data: summaries.map(({ contender }) => contender),
    })),
    series: panels.flatMap(({ summaries }, index) => [
      barsOf(summaries, index),
      // The medians stand behind the lines' ends, where nothing crosses them.
      {
        ...{ type: 'scatter', xAxisIndex: index, yAxisIndex: index, symbolSize: 0, silent: true },
        label: { show: true, position: 'right', distance: 8, formatter: '{@[2]}', color: '#24292f' },
        data: summaries.map(({ contender, cpuMsPerThousand: cpu }) => [
          ...[cpu?.max ?? 0, contender, String(round(cpu?.median ?? 0))],
        ]),
      },
    ]),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function barsOf(summaries: readonly Summary[], index: number): object {
  return {
    ...{ type: 'bar', xAxisIndex: index, yAxisIndex: index, barWidth: BAR - 10 },
    data: summaries.map(({ contender, cpuMsPerThousand }) => ({
      value: round(cpuMsPerThousand?.median ?? 0),
      itemStyle: { color: colors[contender] ?? OTHERS },
    })),
    markLine: {
      ...{ symbol: 'none', silent: true, label: { show: false } },
      lineStyle: { color: '#24292f', type: 'solid', width: 1 },
      data: summaries.map(({ contender, cpuMsPerThousand }) => [
        { coord: [cpuMsPerThousand?.min ?? 0, contender] },
        { coord: [cpuMsPerThousand?.max ?? 0, contender] },
      ]),
    },
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
