import assert from 'node:assert/strict';
import { it } from 'node:test';
import { manifestsOf, only } from '../support/kubernetes/deployed.ts';

const pods = {
  gateway: only(manifestsOf('example'), 'Deployment').spec?.template.spec,
  migration: only(manifestsOf('example/migrate'), 'Job').spec?.template.spec,
};

for (const [name, pod] of Object.entries(pods)) {
  it(`the ${name} is a plain user on a file system that it cannot write, without a token for the cluster`, () => {
    assert.deepEqual(pod?.securityContext, {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(
      pod.containers.map(({ securityContext }) => securityContext),
      [{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }],
    );
    assert.equal(pod.automountServiceAccountToken, false);
  });
}

it('the namespace admits no other pods than such', () => {
  const { labels } = only(manifestsOf('example'), 'Namespace').metadata ?? {};
  assert.equal(labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
});

it('a migration is given the key of the database, and no other', () => {
  const items = pods.migration?.volumes?.[0]?.secret?.items;
  assert.deepEqual(items, [{ key: 'DATABASE_URL', path: 'DATABASE_URL' }]);
});
