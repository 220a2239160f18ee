import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import pg from 'pg';
import type { FoundServer } from '../test/support/servers/find-server.ts';
import { makeTemporaryFolder, type RunContext } from '../test/support/servers/run-context.ts';
import { findPostgresServer, findRedisServer } from '../test/support/servers/ways.ts';
import { OPENAI_KEY } from '../test/support/simulator/keys.ts';
import type { Pinning } from './cores.ts';
import { activateDevice, type Device } from './device.ts';
import { startPeers, type Peers } from './peers.ts';
import { startService, type Service, type ServiceOptions } from './services.ts';

/** Everything that a benchmark needs, running. */
export interface Rig {
  readonly simulator: Service;
  readonly relay: Service;
  readonly gateway: Service;
  /** Those that were asked for and can be had here. */
  readonly peers: Peers;
  readonly device: Device;
  /** For people: which stores. */
  readonly stores: string;
  /** What the ledger in PostgreSQL holds of the device's license. */
  booked(): Promise<number>;
}

export interface RigOptions {
  readonly context: RunContext;
  readonly pinning: Pinning;
  /** Whether the others of the field take part. */
  readonly withPeers?: boolean;
  /** Of the gateway: `--cpu-prof`. */
  readonly nodeArguments?: readonly string[];
  /** The checkout whose gateway runs; this one by default. */
  readonly checkout?: string;
}

const project = join(import.meta.dirname, '..');

/** Starts the stores, the simulator, the bare relay and the gateway, and activates a device without limits. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { context, pinning, nodeArguments = [], checkout = project } = options;
  const { closers, runId } = context;
  const folder = await makeTemporaryFolder(runId, 'bench');
  const start = async (name: string, script: string, how: Partial<ServiceOptions>): Promise<Service> => {
    const service = await startService(name, resolve(project, script), { folder, ...how });
    closers.add(name, () => service.stop());
    return service;
  };
  const postgres = await acquire(findPostgresServer, context);
  const redis = await acquire(findRedisServer, context);
  const database = await createDatabase(postgres.url, context);
  const simulator = await start('simulator', 'test/support/simulator/main.ts', {
    arguments: ['--no-record'],
  });
  const prefix = pinning.underTest;
  const relay = await start('relay', 'bench/bare-relay.ts', {
    prefix,
    env: { TARGET: simulator.url, REAL_KEY: OPENAI_KEY },
  });
  const peers =
    options.withPeers === true
      ? await startPeers({ folder, prefix, target: simulator.url }, console.error)
      : {};
  for (const [name, peer] of Object.entries(peers)) closers.add(name, () => peer.stop());
  const adminToken = randomBytes(24).toString('hex');
  const gateway = await start('gateway', resolve(checkout, 'src/main.ts'), {
    prefix,
    nodeArguments,
    arguments: ['serve'],
    env: {
      ...gatewaySettings(simulator.url, runId),
      ADMIN_TOKEN: adminToken,
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
    },
  });
  const device = await activateDevice(gateway.url, adminToken);
  return {
    simulator,
    relay,
    gateway,
    peers,
    device,
    stores: `PostgreSQL: ${postgres.description}; Redis: ${redis.description}`,
    booked: () => database.booked(device.licenseId),
  };
}

/** Everything on, as in production. */
function gatewaySettings(simulatorUrl: string, runId: string): Record<string, string> {
  return {
    PORT: '0',
    INTERNAL_PORT: '0',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    OPENAI_API_KEY: OPENAI_KEY,
    OPENAI_BASE_URL: simulatorUrl,
    REDIS_PREFIX: `bench-${runId}`,
    SHUTDOWN_TIMEOUT_MS: '2000',
    // A machine that is busy otherwise stops everything for longer than the default; what is decided late is measured, too.
    REDIS_TIMEOUT_MS: '2000',
  };
}

/** A server that somebody named, or the programs of this machine; Docker's port forwarding is a load of its own. */
async function acquire(
  find: (context: RunContext) => Promise<FoundServer>,
  context: RunContext,
): Promise<FoundServer> {
  const reasons: string[] = [];
  for (const way of ['env', 'programs', 'docker']) {
    try {
      return await find({ ...context, env: { ...context.env, TEST_SERVERS: way }, say: () => undefined });
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(reasons.join('\n'));
}

async function createDatabase(
  serverUrl: string,
  { closers, runId }: RunContext,
): Promise<{ url: string; booked(licenseId: string): Promise<number> }> {
  const name = `licensify_bench_${runId}`;
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  closers.add('the database', async () => {
    await client.end();
    await server.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    await server.end();
  });
  return {
    url: url.href,
    async booked(licenseId) {
      const { rows } = await client.query<{ requests: string | null }>(
        'SELECT sum(requests) AS requests FROM usage WHERE license_id = $1',
        [licenseId],
      );
      return Number(rows[0]?.requests ?? 0);
    },
  };
}
