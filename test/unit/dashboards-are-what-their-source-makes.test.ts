import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { buildDashboards } from '../../deploy/grafana/build.ts';
import { dashboards } from '../../deploy/grafana/source/dashboards.ts';
import { uidOf } from '../../deploy/grafana/source/places.ts';
import { readRules } from '../support/monitoring/rules.ts';

const project = resolve(import.meta.dirname, '../..');
const folder = join(project, 'deploy/grafana/dashboards');

it('the committed dashboards are those that the program makes, and no others', async () => {
  const made = await buildDashboards();
  assert.deepEqual(globSync('*', { cwd: folder }).sort(), [...made.keys()].sort());
  for (const [name, content] of made)
    assert.equal(readFileSync(join(folder, name), 'utf8'), content, `${name}: run npm run dashboards`);
});

it('every panel says what is good and leads to a section of the runbook that exists', () => {
  const runbook = readFileSync(join(project, 'docs/operations.md'), 'utf8');
  const sections = new Set([...runbook.matchAll(/^#{2,3} (.+)$/gm)].map(([, title]) => title));
  for (const { name, rows } of dashboards)
    for (const { title, description, runbook: section } of rows.flatMap(({ panels }) => panels)) {
      const place = `${name} / ${title}`;
      assert.match(description, /Good: /, place);
      assert.ok(sections.has(section), `${place}: docs/operations.md has no section "${section}"`);
    }
});

it('each row fills the width, and each title is there once in its dashboard', () => {
  for (const { name, rows } of dashboards) {
    for (const { title, panels } of rows)
      assert.equal(
        panels.reduce((sum, { width }) => sum + width, 0),
        24,
        `${name} / ${title}`,
      );
    const titles = rows.flatMap(({ panels }) => panels.map(({ title }) => title));
    assert.deepEqual(titles, [...new Set(titles)], name);
  }
});

it('every alert leads to a dashboard that exists', () => {
  const addresses = new Set(dashboards.map(({ name }) => `{{ $externalLabels.grafana }}/d/${uidOf(name)}`));
  for (const { alert, annotations } of readRules().filter((rule) => rule.alert !== undefined))
    assert.ok(addresses.has(annotations?.dashboard_url ?? ''), `${alert}: ${annotations?.dashboard_url}`);
});
