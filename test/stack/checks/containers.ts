import assert from 'node:assert/strict';
import { figure } from '../figures.ts';
import { docker, type Inspected } from '../stack.ts';
import type { World } from '../world.ts';

/** Capabilities that a service may have: PostgreSQL's entry point hands the data to its own user. */
const ALLOWED: Record<string, readonly string[]> = {
  postgres: ['CHOWN', 'DAC_READ_SEARCH', 'FOWNER', 'SETGID', 'SETUID'],
};
/** Their own images name a user that is not root; the others are started as one, or go on as one. */
const NOT_ROOT = ['gateway', 'postgres', 'redis'];

const serviceOf = ({ Config }: Inspected): string => Config.Labels['com.docker.compose.service'] ?? '';

/** The load balancer's two ports are all that this machine can reach. */
export async function onlyTheLoadBalancerIsPublished({ stack }: World): Promise<void> {
  const published = (await stack.containers()).flatMap((container) =>
    Object.entries(container.NetworkSettings.Ports)
      .filter(([, bindings]) => bindings !== null && bindings.length > 0)
      .map(([port]) => `${serviceOf(container)} ${port}`),
  );
  figure('published', published.sort().join(', '));
  assert.deepEqual(published, ['haproxy 8080/tcp', 'haproxy 8443/tcp']);
  for (const path of ['/metrics', '/health/ready', '/health/live', '/stats']) {
    const { status } = await fetch(stack.url + path);
    assert.equal(status, 404, `${path} is served to the public`);
  }
}

/** Read-only, without capabilities, limited, restarted, and healthy. */
export async function containersAreHardened({ stack }: World): Promise<void> {
  const containers = (await stack.containers()).filter((container) => serviceOf(container) !== 'provider');
  for (const container of containers) {
    const service = serviceOf(container);
    const { HostConfig: host, State } = container;
    assert.equal(host.ReadonlyRootfs, true, `${service}: its file system can be written`);
    assert.deepEqual(host.CapDrop, ['ALL'], `${service}: capabilities`);
    const added = (host.CapAdd ?? []).map((name) => name.replace(/^CAP_/, ''));
    assert.deepEqual(added.sort(), ALLOWED[service] ?? [], `${service}: capabilities`);
    assert.deepEqual(host.SecurityOpt, ['no-new-privileges:true'], `${service}: privileges`);
    assert.equal(host.Privileged, false);
    assert.equal(host.RestartPolicy.Name, 'unless-stopped', `${service}: restarts`);
    assert.ok(host.Memory > 0 && host.PidsLimit > 0, `${service}: has no limits`);
    assert.equal(State.Health?.Status, 'healthy', `${service}: health`);
    if (NOT_ROOT.includes(service)) await runsAsNobodySpecial(container);
  }
  figure('containers hardened, limited and healthy', containers.length);
}

/** Its first process, whatever the image says: another user than root, and no capability left. */
async function runsAsNobodySpecial({ Id, Name }: Inspected): Promise<void> {
  const status = await docker(['exec', Id, 'cat', '/proc/1/status']);
  const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
  assert.ok(uid > 0, `${Name} runs as root`);
  assert.match(status, /^CapEff:\s+0+$/m, `${Name} has capabilities`);
}

/** Redis loses a second at most, drops nothing by itself, and answers nobody without its password. */
export async function redisIsDurableAndClosed({ stack }: World): Promise<void> {
  const read = 'redis-cli config get appendonly appendfsync maxmemory-policy';
  const withPassword = `REDISCLI_AUTH=$(cat /run/secrets/redis_password) ${read}`;
  const said = (await stack.exec('redis', ['sh', '-c', withPassword])).trim().split('\n');
  const settings = Object.fromEntries(
    said.flatMap((name, index) => (index % 2 === 0 ? [[name, said[index + 1]]] : [])),
  ) as Record<string, string>;
  figure('Redis', JSON.stringify(settings));
  assert.deepEqual(settings, {
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  });
  assert.match(await stack.exec('redis', ['sh', '-c', read]), /NOAUTH/);
}

/** Nothing is written, the process that gets the signals is Node.js itself, and SIGTERM ends it in time and well. */
export async function gatewayStopsCleanly({ stack }: World): Promise<void> {
  const [gateway] = await stack.containers('gateway');
  assert.ok(gateway);
  const command = await docker(['exec', gateway.Id, 'cat', '/proc/1/cmdline']);
  assert.equal(command.replaceAll('\0', ' ').trim(), 'node bin/licensify.js serve');
  const changes = (await docker(['diff', gateway.Id])).split('\n').map((line) => line.slice(2));
  // The engine's own: where it mounts secrets.
  assert.deepEqual(
    changes.filter((path) => path !== '' && !/^\/run(?:\/|$)/.test(path)),
    [],
    'the gateway has written files',
  );
  const began = performance.now();
  await docker(['stop', '-t', '45', gateway.Id]);
  const seconds = (performance.now() - began) / 1_000;
  const { State } = (await stack.containers('gateway')).find(({ Id }) => Id === gateway.Id) ?? gateway;
  figure('SIGTERM: seconds to the end, exit code', `${seconds.toFixed(1)} s, ${State.ExitCode}`);
  assert.equal(State.ExitCode, 0);
  // With nothing under way it ends after SHUTDOWN_DELAY_MS, 3 s; Docker's SIGKILL would come after 45 s.
  assert.ok(seconds >= 2.9 && seconds < 30, `it took ${seconds} s`);
  await docker(['start', gateway.Id]);
}
