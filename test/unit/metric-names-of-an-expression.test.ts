import assert from 'node:assert/strict';
import { it } from 'node:test';
import { metricNames } from '../support/monitoring/metric-names.ts';

const cases: Record<string, string[]> = {
  'sum by (le, tier) (rate(a_bucket{le="0.1",b=~"c{2}|d"}[5m]))': ['a_bucket'],
  'licensify:slow:ratio_rate5m > 14.4 * 0.01 and on () (hour() < 12)': ['licensify:slow:ratio_rate5m'],
  'a / ignoring (state) group_left (x) b unless c <= bool 2 * (c offset 1h)': ['a', 'b', 'c'],
  '(count(up == 0) or vector(0)) + 1e3 - time()': ['up'],
};

it('the metrics of an expression are all that it reads, and no function, label, keyword or number', () => {
  for (const [expr, names] of Object.entries(cases)) assert.deepEqual(metricNames(expr), names, expr);
});
