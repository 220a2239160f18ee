import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { Metrics } from '../../src/observe/metrics.ts';

interface Described {
  name: string;
  type: string;
  labels: string[];
}

/** Each row of the page's tables whose first cell names a metric. */
function described(): Described[] {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  return page.split('\n').flatMap((line) => {
    const [, name, type = '', labels = '', meaning = ''] =
      /^\| `(\w+)` +\| (\w+) +\| (.*?) *\| (.*?) *\|$/.exec(line) ?? [];
    if (name === undefined) return [];
    assert.notEqual(meaning, '', name);
    return [{ name, type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label) }];
  });
}

async function exposed(): Promise<(Described & { help: string })[]> {
  const { registry } = new Metrics('0.0.0', () => []);
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ name, type, help }) => {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    return { name, type: String(type), help, labels: labelNames };
  });
}

const sorted = (metrics: Described[]): Described[] =>
  metrics
    .map(({ name, type, labels }) => ({ name, type, labels: [...labels].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

it('docs/metrics.md and the exposition name the same metrics, with the same types and labels', async () => {
  assert.deepEqual(sorted(described()), sorted(await exposed()));
});

it('each metric says what it is, and is named by the conventions', async () => {
  const ours = (await exposed()).filter(({ name }) => name.startsWith('licensify_'));
  assert.ok(ours.length > 20);
  for (const { name, type, help } of ours) {
    assert.ok(help.length > 10, name);
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    if (type === 'histogram') assert.match(name, /_seconds$/);
    assert.doesNotMatch(name, /_(?:ms|milliseconds|minutes|kb|mb|percent|count|sum|bucket)(?:_|$)/, name);
  }
});
