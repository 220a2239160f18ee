import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.ts';
import { figure } from '../figures.ts';
import { docker } from '../stack.ts';
import type { World } from '../world.ts';

const PATIENCE = 60_000;

interface Targets {
  activeTargets: { labels: { job: string; instance: string }; health: string }[];
}
interface Rules {
  groups: { rules: { name: string; health: string; state: string }[] }[];
}
interface Result {
  result: { value: [number, string] }[];
}

/** Prometheus has found every gateway and the load balancer, its rules are loaded, and alerts have where to go. */
export async function monitoringSeesEverything({ stack }: World, gateways: number): Promise<void> {
  const expected = { alertmanager: 1, gateway: gateways, haproxy: 1, prometheus: 1 };
  await eventually(async () => {
    const { activeTargets } = await stack.prometheus<Targets>('targets?state=active');
    const up: Record<string, number> = {};
    for (const { labels, health } of activeTargets) {
      if (health === 'up') up[labels.job] = (up[labels.job] ?? 0) + 1;
    }
    assert.deepEqual(up, expected);
  }, PATIENCE);
  figure('Prometheus targets up', JSON.stringify(expected));

  const rules = await eventually(async () => {
    const { groups } = await stack.prometheus<Rules>('rules');
    const found = groups.flatMap((group) => group.rules);
    assert.ok(found.length > 0 && found.every(({ health }) => health === 'ok'));
    return found;
  }, PATIENCE);
  figure('alert rules loaded and evaluated', rules.length);
  assert.deepEqual(
    rules.filter(({ state }) => state === 'firing').map(({ name }) => name),
    [],
    'alerts while all is well',
  );
  await eventually(async () => {
    const { activeAlertmanagers } = await stack.prometheus<{ activeAlertmanagers: unknown[] }>(
      'alertmanagers',
    );
    assert.equal(activeAlertmanagers.length, 1);
  }, PATIENCE);

  // The metrics that the rules and the dashboard are made of are there under these names.
  const query = encodeURIComponent(
    'sum(licensify_requests_total) and on() haproxy_backend_active_servers{proxy="gateways"}',
  );
  await eventually(async () => {
    const { result } = await stack.prometheus<Result>(`query?query=${query}`);
    assert.ok(Number(result[0]?.value[1]) > 0);
  }, PATIENCE);
}

/** The rules' own tests, by the promtool of the image in use. */
export async function alertRulesPassTheirTests({ stack }: World): Promise<void> {
  const [prometheus] = await stack.containers('prometheus');
  assert.ok(prometheus);
  // Its tests write to a temporary folder, which a read-only container has only where its data is.
  const promtool = ['exec', '-e', 'TMPDIR=/prometheus', prometheus.Id, 'promtool'];
  await docker([...promtool, 'check', 'config', '/etc/prometheus/prometheus.yml']);
  const tests = ['gateways', 'providers', 'service', 'service-of-a-day', 'stores'].map(
    (name) => `/etc/prometheus/tests/${name}.yml`,
  );
  const said = await docker([...promtool, 'test', 'rules', ...tests]);
  figure('promtool test rules', said.replaceAll(/\s+/g, ' '));
}
