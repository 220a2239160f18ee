import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { parse } from 'yaml';
import { buildPrometheusRule, target } from '../../deploy/prometheus/build.ts';
import { manifestsOf, only } from '../support/kubernetes/deployed.ts';

const deploy = resolve(import.meta.dirname, '../../deploy');
const example = manifestsOf('example');
const groups = globSync('prometheus/rules/*.yml', { cwd: deploy })
  .sort()
  .flatMap((file) => (parse(readFileSync(join(deploy, file), 'utf8')) as { groups: object[] }).groups);

it('the PrometheusRule holds the groups that the Prometheus of the stack reads, and no others', () => {
  assert.equal(readFileSync(target, 'utf8'), buildPrometheusRule(), 'run npm run rules');
  assert.equal(groups.length, 5);
  assert.deepEqual(only(example, 'PrometheusRule').spec.groups, groups);
});

it('gateways have the job that the rules ask for, and the names of their pods', () => {
  const jobs = new Set([...JSON.stringify(groups).matchAll(/job=\\"(\w+)\\"/g)].map(([, job]) => job));
  // The cluster has no HAProxy of ours: its alerts stay silent there.
  assert.deepEqual(jobs, new Set(['gateway', 'haproxy']));
  const [endpoint] = only(example, 'ServiceMonitor').spec.endpoints;
  assert.deepEqual(endpoint?.relabelings, [
    { targetLabel: 'job', replacement: 'gateway' },
    { sourceLabels: ['__meta_kubernetes_pod_name'], targetLabel: 'instance' },
  ]);
});

it("each dashboard is a ConfigMap of its own that Grafana's sidecar finds, as it stands in the file", () => {
  const files = globSync('*.json', { cwd: join(deploy, 'grafana/dashboards') });
  const maps = manifestsOf('base with grafana')
    .filter((manifest) => manifest.kind === 'ConfigMap')
    .filter(({ metadata }) => metadata?.labels?.grafana_dashboard === '1');
  const contents = maps.map(({ data }) => Object.entries(data ?? {}));
  assert.deepEqual(contents.map(([first]) => first?.[0]).sort(), files.sort());
  for (const [first, ...more] of contents) {
    const [name = '', content = ''] = first ?? [];
    assert.equal(content, readFileSync(join(deploy, 'grafana/dashboards', name), 'utf8'));
    // kubectl keeps what it applied in an annotation, of which Kubernetes takes 256 KiB.
    assert.ok(JSON.stringify(content).length < 200_000, name);
    assert.deepEqual(more, []);
  }
});
