import assert from 'node:assert/strict';
import { it } from 'node:test';
import { manifestsOf, only } from '../support/kubernetes/deployed.ts';

/** What closing takes after the last request: writing what was counted, closing the stores. Milliseconds. */
const CLOSING = 10_000;

const example = manifestsOf('example');
const deployment = only(example, 'Deployment').spec;
const pod = deployment?.template.spec;
const container = pod?.containers[0];
const settings = only(example, 'ConfigMap', 'licensify-settings').data ?? {};

it('probes ask the internal port, and whether a pod lives is another question than whether it is ready', () => {
  const asked = [container?.startupProbe, container?.livenessProbe, container?.readinessProbe].map(
    (probe) => probe?.httpGet,
  );
  assert.deepEqual(asked, [
    { path: '/health/live', port: 'internal' },
    { path: '/health/live', port: 'internal' },
    { path: '/health/ready', port: 'internal' },
  ]);
});

it('a pod is killed only after the time that it may take to stop', () => {
  const sleep = container?.lifecycle?.preStop?.sleep?.seconds ?? 0;
  assert.ok(sleep >= 5, 'the ingress needs seconds to hear that a pod goes');
  const { SHUTDOWN_DELAY_MS: delay, SHUTDOWN_TIMEOUT_MS: drain } = settings;
  const stopping = sleep * 1_000 + Number(delay) + Number(drain) + CLOSING;
  assert.ok((pod?.terminationGracePeriodSeconds ?? 0) * 1_000 >= stopping, `${stopping} ms may be needed`);
});

it('a new version replaces the old one pod by pod, none going before another is ready', () => {
  assert.equal(deployment?.strategy?.rollingUpdate?.maxUnavailable, 0);
  assert.equal(only(example, 'PodDisruptionBudget').spec?.maxUnavailable, 1);
});

it('the last pods do not leave at once: the number shrinks slowly, to two at least', () => {
  const { behavior, minReplicas } = only(example, 'HorizontalPodAutoscaler').spec;
  assert.ok((minReplicas ?? 1) >= 2);
  assert.deepEqual(behavior?.scaleDown?.policies, [{ type: 'Pods', value: 1, periodSeconds: 300 }]);
  assert.ok((pod?.terminationGracePeriodSeconds ?? 0) < 300, 'one pod has gone before the next goes');
});

it('a changed Secret reaches the files: folders are mounted, readable by the group of the process', () => {
  const volume = pod?.volumes?.find(({ name }) => name === 'secrets');
  assert.equal(volume?.secret?.defaultMode, 0o440);
  assert.equal(pod?.securityContext?.fsGroup, pod?.securityContext?.runAsGroup);
  assert.deepEqual(
    container?.volumeMounts?.map(({ name, subPath }) => [name, subPath]),
    [
      ['secrets', undefined],
      ['tiers', undefined],
    ],
  );
});
