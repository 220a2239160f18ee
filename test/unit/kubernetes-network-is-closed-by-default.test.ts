import assert from 'node:assert/strict';
import { it } from 'node:test';
import { manifestsOf, only } from '../support/kubernetes/deployed.ts';
import { selects, type Manifest } from '../support/kubernetes/manifest.ts';

const example = manifestsOf('example');
const gateway = only(example, 'Deployment').spec?.template.metadata?.labels;
const migration = only(manifestsOf('example/migrate'), 'Job').spec?.template.metadata?.labels;

type Policy = Extract<Manifest, { kind: 'NetworkPolicy' }>;

function policiesFor(manifests: Manifest[], labels: typeof gateway): Policy[] {
  return manifests
    .filter((manifest) => manifest.kind === 'NetworkPolicy')
    .filter(({ spec }) => selects(spec?.podSelector?.matchLabels, labels));
}

/** Who may speak to which port: `namespace -> port`. */
function waysIn(manifests: Manifest[], labels: typeof gateway): string[] {
  const rules = policiesFor(manifests, labels).flatMap(({ spec }) => spec?.ingress ?? []);
  return rules.flatMap(({ from, ports }) =>
    (from ?? []).flatMap(({ namespaceSelector }) => {
      const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'] ?? 'anywhere';
      return (ports ?? [{ port: 'any port' }]).map(({ port }) => `${namespace} -> ${port ?? 'any port'}`);
    }),
  );
}

/** Where pods may speak to: `address or namespace -> port`. */
function waysOut(labels: typeof gateway): string[] {
  const rules = policiesFor(example, labels).flatMap(({ spec }) => spec?.egress ?? []);
  return rules.flatMap(({ to, ports }) =>
    (to ?? [{}]).flatMap(({ ipBlock, namespaceSelector }) => {
      const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'];
      const target = ipBlock?.cidr ?? namespace ?? 'anywhere';
      return (ports ?? [{ port: 'any port' }]).map(({ port }) => `${target} -> ${port ?? 'any port'}`);
    }),
  );
}

it('a policy without rules closes gateways and migrations both ways', () => {
  for (const labels of [gateway, migration]) {
    const closed = policiesFor(manifestsOf('base'), labels).filter(
      ({ spec }) => spec?.ingress === undefined && spec?.egress === undefined,
    );
    assert.deepEqual(
      closed.map(({ spec }) => spec?.policyTypes),
      [['Ingress', 'Egress']],
    );
  }
});

it('into a gateway leads the ingress to the public port and Prometheus to the internal one, no more', () => {
  assert.deepEqual(waysIn(example, gateway), ['envoy-gateway-system -> public', 'monitoring -> internal']);
  assert.deepEqual(waysIn(manifestsOf('base with ingress-nginx'), gateway), ['ingress-nginx -> public']);
  assert.deepEqual(waysIn(manifestsOf('base'), gateway), []);
  assert.deepEqual(waysIn(example, migration), []);
});

it('out of a gateway lead names, the stores, mail and the providers; out of a migration neither of the last two', () => {
  const both = ['10.20.0.0/24 -> 5432', '10.20.1.0/24 -> 6379', 'kube-system -> 53', 'kube-system -> 53'];
  assert.deepEqual(waysOut(migration).sort(), both);
  const gatewaysOwn = ['10.20.2.0/24 -> 587', '0.0.0.0/0 -> 443', '::/0 -> 443'];
  assert.deepEqual(waysOut(gateway).sort(), [...both, ...gatewaysOwn].sort());
});

it('what is open to the providers reaches no private network and no metadata service', () => {
  const blocks = policiesFor(manifestsOf('base'), gateway)
    .flatMap(({ spec }) => spec?.egress ?? [])
    .flatMap(({ to }) => to ?? [])
    .flatMap(({ ipBlock }) => ipBlock?.except ?? []);
  for (const block of [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '169.254.0.0/16',
    'fc00::/7',
    'fe80::/10',
  ]) {
    assert.ok(blocks.includes(block), `${block} is open`);
  }
});
