import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Cluster } from '../cluster/cluster.ts';
import { reservePorts } from '../cluster/ports.ts';
import { startServer, waitUntilReady } from '../servers/processes.ts';
import { makeTemporaryFolder, removeFolder } from '../servers/run-context.ts';
import { startNotificationSink, type Notification } from './notifications.ts';
import { findMonitoring } from './programs.ts';
import { PrometheusApi } from './prometheus-api.ts';

const deploy = resolve(import.meta.dirname, '../../../deploy');

/** Prometheus and Alertmanager that watch a cluster, as deploy/ configures them. */
export interface MonitoringStack {
  readonly prometheus: PrometheusApi;
  /** What Alertmanager has sent so far. */
  readonly notifications: readonly Notification[];
  stop(): Promise<void>;
}

interface Addresses {
  readonly prometheus: number;
  readonly alertmanager: number;
  readonly webhook: string;
}

/**
 * Starts both with the shipped configuration and rules. Different are the addresses, and the times: scrapes, evaluations
 * and messages come every second. What an alert waits for (`for`) is as shipped.
 */
export async function startMonitoring(cluster: Cluster): Promise<MonitoringStack> {
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const folder = await makeTemporaryFolder(process.env.TEST_RUN_ID ?? 'none', 'monitoring');
    closers.push(() => removeFolder(folder));
    const sink = await startNotificationSink();
    closers.push(() => sink.close());
    const [prometheus = 0, alertmanager = 0] = await reservePorts(2);
    const addresses = { prometheus, alertmanager, webhook: sink.url };
    writeFileSync(join(folder, 'alertmanager.yml'), alertmanagerConfig(addresses));
    writeFileSync(join(folder, 'prometheus.yml'), prometheusConfig(folder, addresses, cluster));
    copyRules(join(folder, 'rules'));
    closers.push(
      await startProgram('alertmanager', folder, alertmanager, [
        `--storage.path=${join(folder, 'alertmanager')}`,
        '--cluster.listen-address=',
      ]),
      await startProgram('prometheus', folder, prometheus, [
        `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      ]),
    );
    const api = new PrometheusApi(`http://127.0.0.1:${prometheus}`);
    return { prometheus: api, notifications: sink.received, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function copyRules(folder: string): void {
  mkdirSync(folder);
  for (const file of globSync('*.yml', { cwd: join(deploy, 'prometheus/rules') })) {
    const shipped = readFileSync(join(deploy, 'prometheus/rules', file), 'utf8');
    writeFileSync(join(folder, file), shipped.replaceAll(/^ *interval: .*\n/gm, '')); // as often as the others
  }
}

/** Starts one of them, and returns what ends it. */
async function startProgram(
  name: 'prometheus' | 'alertmanager',
  folder: string,
  port: number,
  args: readonly string[],
): Promise<() => Promise<void>> {
  const { command, args: before } = await findMonitoring(name, folder);
  const own = [`--config.file=${join(folder, `${name}.yml`)}`, `--web.listen-address=127.0.0.1:${port}`];
  const server = await startServer({
    command,
    args: [...before, ...own, ...args],
    cwd: folder,
    logFile: join(folder, `${name}.log`),
    ownGroup: false, // it goes with the test's process group when the runner kills that
  });
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntilReady(server, isReady);
  return () => server.stop('SIGTERM');
}

interface PrometheusConfig {
  global: Record<string, unknown>;
  rule_files: string[];
  alerting: unknown;
  scrape_configs: { job_name: string; params?: unknown }[];
}

function prometheusConfig(folder: string, addresses: Addresses, { members, balancer }: Cluster): string {
  const config = parse(readFileSync(join(deploy, 'prometheus/prometheus.yml'), 'utf8')) as PrometheusConfig;
  const host = (url: string): string => new URL(url).host;
  const targets: Record<string, string[]> = {
    gateway: members.map(({ internalUrl }) => host(internalUrl)),
    haproxy: balancer === undefined ? [] : [host(balancer.internalUrl)],
    prometheus: [`127.0.0.1:${addresses.prometheus}`],
    alertmanager: [`127.0.0.1:${addresses.alertmanager}`],
  };
  return stringify({
    ...config,
    global: { ...config.global, scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [join(folder, 'rules/*.yml')],
    alerting: { alertmanagers: [{ static_configs: [{ targets: targets.alertmanager }] }] },
    scrape_configs: config.scrape_configs.map(({ job_name, params }) => {
      const of = targets[job_name];
      if (of === undefined) throw new Error(`what takes the place of the job "${job_name}"?`);
      return { job_name, ...(params !== undefined && { params }), static_configs: [{ targets: of }] };
    }),
  });
}

interface AlertmanagerConfig {
  route: Record<string, unknown>;
  receivers: { name: string }[];
}

function alertmanagerConfig({ webhook }: Addresses): string {
  const config = parse(
    readFileSync(join(deploy, 'alertmanager/alertmanager.yml'), 'utf8'),
  ) as AlertmanagerConfig;
  return stringify({
    ...config,
    route: { ...config.route, group_wait: '1s', group_interval: '1s' },
    receivers: config.receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url: `${webhook}/${name}` }],
    })),
  });
}
