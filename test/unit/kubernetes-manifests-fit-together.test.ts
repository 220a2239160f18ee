import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { manifestsOf, only } from '../support/kubernetes/deployed.ts';
import { selects } from '../support/kubernetes/manifest.ts';

const example = manifestsOf('example');
const gateway = only(example, 'Deployment').spec;
const job = only(manifestsOf('example/migrate'), 'Job');
const gatewayLabels = gateway?.template.metadata?.labels;
const migrationLabels = job.spec?.template.metadata?.labels;
const ports = gateway?.template.spec?.containers[0]?.ports;

it('selectors of gateways select gateways, and no migration', () => {
  const selectors = [
    gateway?.selector.matchLabels,
    only(example, 'PodDisruptionBudget').spec?.selector?.matchLabels,
    ...['licensify', 'licensify-internal'].map((name) => only(example, 'Service', name).spec?.selector),
    ...(gateway?.template.spec?.topologySpreadConstraints ?? []).map(
      (spread) => spread.labelSelector?.matchLabels,
    ),
  ];
  assert.equal(selectors.length, 6);
  for (const selector of selectors) {
    assert.ok(selects(selector, gatewayLabels), JSON.stringify(selector));
    assert.ok(!selects(selector, migrationLabels), JSON.stringify(selector));
  }
});

it('the autoscaler scales the Deployment, which leaves the number of pods to it', () => {
  const { scaleTargetRef } = only(example, 'HorizontalPodAutoscaler').spec;
  assert.deepEqual(scaleTargetRef, { apiVersion: 'apps/v1', kind: 'Deployment', name: 'licensify' });
  assert.equal(gateway?.replicas, undefined);
});

it('clients are led to the public port alone', () => {
  const service = only(example, 'Service', 'licensify').spec;
  assert.deepEqual(
    service?.ports?.map(({ targetPort }) => targetPort),
    ['public'],
  );
  const route = only(example, 'HTTPRoute').spec.rules?.[0]?.backendRefs;
  assert.deepEqual(route, [{ name: 'licensify', port: service.ports[0]?.port }]);
  const ingress = only(manifestsOf('base with ingress-nginx'), 'Ingress').spec?.rules?.[0]?.http?.paths[0];
  assert.deepEqual(ingress?.backend.service, { name: 'licensify', port: { name: service.ports[0]?.name } });
});

it('Prometheus finds the internal port of every gateway', () => {
  const monitor = only(example, 'ServiceMonitor').spec;
  const services = example.filter(
    (manifest) =>
      manifest.kind === 'Service' && selects(monitor.selector.matchLabels, manifest.metadata?.labels),
  );
  assert.deepEqual(
    services.map(({ metadata }) => metadata?.name),
    ['licensify-internal'],
  );
  const port = only(example, 'Service', 'licensify-internal').spec?.ports?.[0];
  assert.equal(monitor.endpoints[0]?.port, port?.name);
  assert.equal(port?.targetPort, 'internal');
});

it('each port that a manifest names is one of the gateway', () => {
  const policies = example.filter((manifest) => manifest.kind === 'NetworkPolicy');
  const named = [
    ...example
      .flatMap((manifest) => (manifest.kind === 'Service' ? (manifest.spec?.ports ?? []) : []))
      .map(({ targetPort }) => targetPort),
    ...policies
      .flatMap(({ spec }) => spec?.ingress ?? [])
      .flatMap((rule) => rule.ports ?? [])
      .map(({ port }) => port),
  ];
  assert.deepEqual(named, ['public', 'internal', 'public', 'internal']);
  assert.deepEqual(
    ports?.map(({ name, containerPort }) => [name, containerPort]),
    [
      ['public', 8080],
      ['internal', 9464],
    ],
  );
});

it('gateways and migrations use one account, namespace, image and Secret', () => {
  const pods = [gateway?.template.spec, job.spec?.template.spec];
  assert.deepEqual(new Set(pods.map((pod) => pod?.containers[0]?.image)).size, 1);
  assert.deepEqual(new Set(pods.map((pod) => pod?.volumes?.[0]?.secret?.secretName)), new Set(['licensify']));
  assert.equal(gateway?.template.spec?.serviceAccountName, only(example, 'ServiceAccount').metadata?.name);
  const namespaces = [...example, job]
    .filter(({ kind }) => kind !== 'Namespace')
    .map(({ metadata }) => metadata?.namespace);
  assert.deepEqual(new Set(namespaces), new Set([only(example, 'Namespace').metadata?.name]));
});

it('a migration is named for its version, which is the one of this checkout', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(job.spec?.template.spec?.containers[0]?.image?.split(':').at(-1), version);
  assert.equal(job.metadata?.name, `licensify-migrate-${version.replaceAll('.', '-')}`);
});
