import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { builds, manifestsOf, only, root } from '../support/kubernetes/deployed.ts';
import type { Manifest } from '../support/kubernetes/manifest.ts';
import { problemsOf } from '../support/kubernetes/schemas.ts';

it('every manifest is what the schema of its kind says', async () => {
  assert.deepEqual(await problemsOf(Object.values(builds).flatMap(({ manifests }) => manifests)), []);
});

it('no file is left out of that', () => {
  const read = new Set(Object.values(builds).flatMap(({ files }) => files));
  const all = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  assert.deepEqual(
    all.filter((file) => !read.has(file)),
    [],
  );
});

/** The last member of the path is put at it, or removed where it is undefined. */
function changed(manifest: Manifest, path: (string | number)[], value: unknown): Manifest {
  const copy = structuredClone(manifest);
  let at = copy as unknown as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as typeof at;
  const last = path.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return copy;
}

const container = ['spec', 'template', 'spec', 'containers', 0];
const mistakes: [string, string, Manifest['kind'], (string | number)[], unknown, RegExp][] = [
  ['a misspelt field', 'base', 'Deployment', [...container, 'readynessProbe'], {}, /readynessProbe/],
  ['one further down', 'base', 'Deployment', [...container, 'lifecycle', 'preStop', 'sleep', 'second'], 1, /second/],
  ['one at the top', 'base', 'Deployment', ['specs'], {}, /specs/],
  ['one of the metadata', 'base', 'Deployment', ['metadata', 'lables'], {}, /lables/],
  ['a number that is a text', 'base', 'Deployment', [...container, 'ports', 0, 'containerPort'], '1', /containerPort/],
  ['a missing field', 'base', 'Deployment', ['spec', 'selector'], undefined, /selector/],
  ['a field of another version', 'base', 'HorizontalPodAutoscaler', ['spec', 'targetCPUUtilizationPercentage'], 60, /targetCPU/],
  ['a misspelt field of a Job', 'migrate', 'Job', ['spec', 'ttlSecondsAfterFinish'], 60, /ttlSecondsAfterFinish/],
  ['one of a disruption budget', 'base', 'PodDisruptionBudget', ['spec', 'maxUnavailble'], 1, /maxUnavailble/],
  ['one of an HTTPRoute', 'example', 'HTTPRoute', ['spec', 'rules', 0, 'timeout'], {}, /timeout/],
  ['a duration that is none', 'example', 'HTTPRoute', ['spec', 'rules', 0, 'timeouts', 'request'], 'never', /request/],
  ['one of a ServiceMonitor', 'example', 'ServiceMonitor', ['spec', 'endpoints', 0, 'intervall'], '15s', /intervall/],
  ['one of a PrometheusRule', 'example', 'PrometheusRule', ['spec', 'groups', 0, 'rules', 0, 'annotation'], {}, /annotation/],
  ['one of an Ingress', 'base with ingress-nginx', 'Ingress', ['spec', 'ingressClass'], 'nginx', /ingressClass/],
  ['a kind that does not exist', 'base', 'ServiceAccount', ['kind'], 'ServiceAcount', /ServiceAcount/],
  ['a version that does not exist', 'base', 'Deployment', ['apiVersion'], 'apps/v2', /apps\/v2/],
]; // prettier-ignore

for (const [mistake, from, kind, path, value, message] of mistakes) {
  it(`${mistake} is found`, async () => {
    const problems = await problemsOf([changed(only(manifestsOf(from), kind), path, value)]);
    assert.match(problems.join('\n'), message);
  });
}
