import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startCluster, type Cluster } from '../support/cluster/cluster.ts';
import { startLoad } from '../support/cluster/load.ts';
import { eventually } from '../support/eventually.ts';
import { dashboardQueries, variableQueries } from '../support/monitoring/dashboard-queries.ts';
import { metricNames } from '../support/monitoring/metric-names.ts';
import { startMixedTraffic, type MixedTraffic } from '../support/monitoring/mixed-traffic.ts';
import type { Sample } from '../support/monitoring/prometheus-api.ts';
import { readRules } from '../support/monitoring/rules.ts';
import { startMonitoring, type MonitoringStack } from '../support/monitoring/stack.ts';

/** With the start of nine servers on a busy machine. Milliseconds. */
const PATIENCE = 60_000;

/** What is not there in a cluster of this test, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {
  node_filesystem_avail_bytes: 'of the node exporter',
  node_filesystem_size_bytes: 'of the node exporter',
  kubelet_volume_stats_available_bytes: 'of Kubernetes',
  kubelet_volume_stats_capacity_bytes: 'of Kubernetes',
  licensify_data_dir_free_bytes: 'of an embedded database',
  licensify_data_dir_size_bytes: 'of an embedded database',
  licensify_certificate_expiry_timestamp_seconds: 'needs a certificate to look at',
  licensify_mails_total: 'needs a mail server',
};

const TIERS = `
[tiers.pro]
name = "Pro"
daily_limit = 1000
monthly_limit = 10000
max_devices = 5
[tiers.enterprise]
name = "Enterprise"
daily_limit = -1
monthly_limit = -1
max_devices = -1
[tiers.patient]
name = "Goes on without counters"
daily_limit = -1
monthly_limit = -1
max_devices = -1
on_counter_outage = "allow"
outage_allowance = 100000
`;

describe('a real Prometheus and Alertmanager, configured as in deploy/, over two gateways', () => {
  let cluster: Cluster;
  let monitoring: MonitoringStack;
  let traffic: MixedTraffic;
  const started: { stop(): Promise<unknown> }[] = [];
  before(async () => {
    cluster = await startCluster({ gateways: 2, redis: 'own', balancer: true, tiers: TIERS });
    started.push(cluster);
    monitoring = await startMonitoring(cluster);
    started.push(monitoring);
    traffic = await startMixedTraffic(cluster);
    started.push(traffic);
  });
  after(async () => {
    for (const part of started.toReversed()) await part.stop();
  });

  it('every query of every panel, choice and recording rule has data under mixed traffic', async (t) => {
    const recorded = readRules().flatMap(({ record }) =>
      record === undefined ? [] : [{ place: 'recording rule', expr: record, mayBeEmpty: false }],
    );
    const waiting = new Set([...dashboardQueries(), ...recorded]);
    t.diagnostic(`${waiting.size} queries`);
    await eventually(async () => {
      for (const query of waiting) {
        // Prometheus refuses one that does not parse, or whose sides do not fit together: that never gets better.
        const samples = await monitoring.prometheus.query(query.expr);
        if (query.mayBeEmpty || hasData(samples)) waiting.delete(query);
      }
      const without = [...waiting].map(({ place, expr }) => `${place}: ${expr}`);
      assert.deepEqual(without, [], 'queries without data');
    }, PATIENCE);
    for (const { name, selector, label } of variableQueries()) {
      const values = await monitoring.prometheus.labelValues(label, selector);
      assert.ok(values.length > 1, `$${name} has nothing to choose from: ${values.join()}`);
    }
    t.diagnostic(`${traffic.rounds()} rounds of traffic`);
  });

  it('Redis stopped: RedisAway reaches the pager, a warning does not wake anybody, and both end', async (t) => {
    await traffic.stop();
    const strict = await cluster.customers.add({ tier: 'enterprise' });
    const patient = await cluster.customers.add({ tier: 'patient' });
    const load = startLoad({
      clients: 2,
      pauseMs: () => 100,
      next: (number) => ({ url: cluster.url, device: (number % 2 === 0 ? strict : patient).devices[0] }),
    });
    t.after(() => load.stop());
    const told = (alertname: string, status: string): string[] =>
      monitoring.notifications
        .filter(({ labels, status: its }) => labels.alertname === alertname && its === status)
        .map(({ receiver }) => receiver);

    await cluster.redis?.kill();
    const began = performance.now();
    await eventually(() => assert.deepEqual(told('RedisAway', 'firing').slice(0, 1), ['pager']), PATIENCE);
    t.diagnostic(`the pager rang ${((performance.now() - began) / 1_000).toFixed(1)} s after the kill`);
    await eventually(
      () => assert.deepEqual([...new Set(told('OutageAllowanceUsed', 'firing'))], ['tickets']),
      PATIENCE,
    );
    const firing = (await monitoring.prometheus.alerts()).filter(({ state }) => state === 'firing');
    const alert = firing.find(({ labels }) => labels.alertname === 'RedisAway');
    assert.match(alert?.annotations.runbook_url ?? '', /^https:.*#redis-is-away$/);

    await cluster.redis?.restart();
    await eventually(async () => {
      const left = (await monitoring.prometheus.alerts()).map(({ labels }) => labels.alertname);
      assert.ok(!left.includes('RedisAway'));
      assert.ok(told('RedisAway', 'resolved').includes('pager'));
    }, PATIENCE);
    assert.ok(told('RedisAway', 'firing').every((receiver) => receiver === 'pager'));
  });

  it('every metric that a panel or a rule names is there, and every rule is evaluated', async () => {
    const expressions = [...dashboardQueries(), ...readRules()].map(({ expr }) => expr);
    await eventually(async () => {
      const names = await monitoring.prometheus.names();
      const missing = expressions.flatMap((expr) => {
        const read = metricNames(expr);
        assert.ok(read.length > 0, `no metric is seen in ${expr}`);
        return read.filter((name) => !names.has(name) && !(name in NOT_HERE));
      });
      assert.deepEqual([...new Set(missing)], [], 'metrics that do not exist');
      const rules = await monitoring.prometheus.rules();
      assert.equal(rules.length, readRules().length);
      const broken = rules.filter(({ health }) => health !== 'ok');
      assert.deepEqual(broken, [], 'rules that cannot be evaluated');
    }, PATIENCE);
  });
});

/** Something, and not only what came of a division by nothing. */
function hasData(samples: readonly Sample[]): boolean {
  return samples.some(({ value }) => !Number.isNaN(value));
}
