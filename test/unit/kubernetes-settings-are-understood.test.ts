import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import { parse } from 'yaml';
import { secretNames } from '../../src/config-secrets.ts';
import { explainProblems, loadConfig, settingNames, type Config } from '../../src/config.ts';
import { parseTiers } from '../../src/licensing/tiers-file.ts';
import { builtInTiers, type Tiers } from '../../src/licensing/tiers.ts';
import { builds, manifestsOf, only } from '../support/kubernetes/deployed.ts';
import type { Manifest } from '../support/kubernetes/manifest.ts';
import { rememberSecret } from '../support/output.ts';

/** What lies in the Secret, by its keys. */
const secrets: Record<string, string> = {
  DATABASE_URL: 'postgres://licensify:kubernetes-test-password@10.20.0.5:5432/licensify',
  REDIS_URL: 'redis://10.20.1.5:6379',
  ADMIN_TOKEN: 'kubernetes-test-admin-token',
  OPENAI_API_KEY: 'kubernetes-test-openai-key',
  ANTHROPIC_API_KEY: 'kubernetes-test-anthropic-key',
  MASTER_KEY: Buffer.alloc(32, 'kubernetes-test-master-key').toString('base64'),
  SMTP_URL: 'smtp://licensify:kubernetes-test-mail-password@10.20.2.5:587',
};

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'licensify-test-'));
  for (const [name, value] of Object.entries(secrets)) {
    writeFileSync(join(folder, name), value);
    rememberSecret(value);
  }
});
after(() => rmSync(folder, { recursive: true }));

type Variables = Record<string, string>;

/** The environment of the one container of a build: its ConfigMap, then its own variables. */
function environmentOf(manifests: Manifest[]): Variables {
  const { kind, variables, from } = containerOf(manifests);
  const maps = from.map((name) => only(manifests, 'ConfigMap', name).data ?? {});
  assert.ok(kind === 'Job' || maps.length > 0, 'a gateway without its settings');
  return Object.assign({}, ...maps, variables) as Variables;
}

function containerOf(manifests: Manifest[]): {
  kind: string;
  variables: Variables;
  from: string[];
  mount: string;
} {
  const workload = manifests.find(({ kind }) => kind === 'Deployment' || kind === 'Job');
  assert.ok(workload?.kind === 'Deployment' || workload?.kind === 'Job');
  const container = workload.spec?.template.spec?.containers[0];
  const mount = container?.volumeMounts?.find(({ name }) => name === 'secrets');
  assert.ok(
    mount && mount.subPath === undefined,
    'the secrets are mounted as a folder, or no change of them is seen',
  );
  return {
    kind: workload.kind,
    variables: Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? ''])),
    from: (container?.envFrom ?? []).map(({ configMapRef }) => configMapRef?.name ?? ''),
    mount: mount.mountPath,
  };
}

/** The settings as the gateway reads them, with the Secret's folder where the pod would have it. */
function load(manifests: Manifest[]): Config {
  const { mount } = containerOf(manifests);
  const environment = Object.fromEntries(
    Object.entries(environmentOf(manifests)).map(([name, value]) => [
      name,
      value.replace(`${mount}/`, `${folder}/`),
    ]),
  );
  const loaded = loadConfig(environment);
  assert.ok(loaded.ok, loaded.ok ? '' : explainProblems(loaded.problems));
  return loaded.config;
}

const known = new Set<string>([...settingNames, ...secretNames.map((name) => `${name}_FILE`)]);

for (const [name, { manifests }] of Object.entries(builds)) {
  it(`${name}: every variable is a setting, and every value is one that it takes`, () => {
    assert.deepEqual(
      Object.keys(environmentOf(manifests)).filter((variable) => !known.has(variable)),
      [],
    );
    load(manifests);
  });

  it(`${name}: secrets come from files of the mounted Secret, never from the manifests`, () => {
    const variables = environmentOf(manifests);
    assert.deepEqual(
      secretNames.filter((secret) => variables[secret] !== undefined),
      [],
    );
    const { mount } = containerOf(manifests);
    for (const secret of secretNames) {
      const file = variables[`${secret}_FILE`];
      if (file !== undefined) assert.equal(file, join(mount, secret));
    }
    assert.ok(!manifests.some(({ kind }) => (kind as string) === 'Secret'));
  });
}

it('a value that the gateway would refuse is found here', () => {
  const manifests = structuredClone(manifestsOf('example'));
  const data = only(manifests, 'ConfigMap', 'licensify-settings').data ?? {};
  data.LOG_LEVEL = 'loud';
  assert.throws(() => load(manifests), /LOG_LEVEL holds "loud"/);
});

it('the example has both stores, both providers, the admin API, mail, and the client address from one proxy', () => {
  const config = load(manifestsOf('example'));
  assert.equal(config.databaseUrl, secrets.DATABASE_URL);
  assert.equal(config.redisUrl, secrets.REDIS_URL);
  assert.equal(config.adminToken, secrets.ADMIN_TOKEN);
  assert.equal(config.trustProxy, 1);
  assert.deepEqual(config.mail, { url: secrets.SMTP_URL, from: 'Example <licenses@example.com>' });
  assert.equal(config.masterKeys.length, 1);
  for (const provider of ['openai', 'anthropic'] as const) {
    assert.equal(config.providerKeys[provider]?.value, secrets[`${provider.toUpperCase()}_API_KEY`]);
  }
});

it('the example lacks no secret and no file that the compose stack gives its gateways', () => {
  const stack = parse(readFileSync('docker-compose.yml', 'utf8')) as {
    services: { gateway: { environment: Variables } };
  };
  const files = Object.keys(stack.services.gateway.environment).filter((name) => name.endsWith('_FILE'));
  assert.ok(files.length > 5);
  const variables = environmentOf(manifestsOf('example'));
  assert.deepEqual(
    files.filter((name) => variables[name] === undefined),
    [],
  );
});

it('the certificate that is watched is that of the host at which clients come in', () => {
  const manifests = manifestsOf('example');
  assert.deepEqual(only(manifests, 'HTTPRoute').spec.hostnames, [load(manifests).publicUrl?.hostname]);
});

it('the base mounts the built-in tiers, and the example its own in their place', () => {
  assert.deepEqual(mountedTiers(manifestsOf('base')), builtInTiers);
  assert.deepEqual([...mountedTiers(manifestsOf('example')).keys()], ['trial', 'team']);
});

/** What the gateway reads of TIERS_FILE, by way of the volume that it lies in. */
function mountedTiers(manifests: Manifest[]): Tiers {
  const pod = only(manifests, 'Deployment').spec?.template.spec;
  const file = load(manifests).tiersFile ?? '';
  const mount = pod?.containers[0]?.volumeMounts?.find(({ mountPath }) => mountPath === dirname(file));
  assert.equal(mount?.subPath, undefined);
  const volume = pod?.volumes?.find(({ name }) => name === mount?.name);
  const content = only(manifests, 'ConfigMap', volume?.configMap?.name).data?.[basename(file)];
  const read = parseTiers(content ?? '', file);
  assert.ok(read.ok, read.ok ? '' : read.problems.join('\n'));
  return read.tiers;
}

it('the ports are those that the gateway listens on', () => {
  const config = load(manifestsOf('example'));
  const ports = only(manifestsOf('example'), 'Deployment').spec?.template.spec?.containers[0]?.ports;
  const numbers = Object.fromEntries(
    (ports ?? []).map(({ name, containerPort }) => [name ?? '', containerPort]),
  );
  assert.deepEqual(numbers, { public: config.port, internal: config.internalPort });
});

it('the ingress is more patient than the gateway, takes larger bodies, and buffers nothing', () => {
  const manifests = manifestsOf('base with ingress-nginx');
  const config = load(manifests);
  const annotation = (name: string): string =>
    only(manifests, 'Ingress').metadata?.annotations?.[`nginx.ingress.kubernetes.io/${name}`] ?? '';
  for (const name of ['proxy-read-timeout', 'proxy-send-timeout']) {
    assert.ok(Number(annotation(name)) * 1_000 > config.upstreamTimeoutMs, name);
  }
  const size = /^(\d+)m$/.exec(annotation('proxy-body-size'))?.[1];
  assert.ok(Number(size) * 1_048_576 > config.maxBodyBytes);
  assert.deepEqual(['proxy-buffering', 'proxy-request-buffering'].map(annotation), ['off', 'off']);
});
