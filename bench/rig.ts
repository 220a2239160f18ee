import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { reservePorts } from '../test/support/cluster/ports.ts';
import { makeTemporaryFolder, type RunContext } from '../test/support/servers/run-context.ts';
import { OPENAI_KEY } from '../test/support/simulator/keys.ts';
import type { Pinning } from './cores.ts';
import { activateDevice, type Device } from './device.ts';
import { startPeers, type Peers } from './peers.ts';
import { startService, type Service, type ServiceOptions } from './services.ts';
import { startStores, type Stores } from './stores.ts';

export interface GatewayService extends Service {
  /** Metrics and health. */
  readonly internalUrl: string;
}

/** Everything that a benchmark needs, running. */
export interface Rig {
  readonly simulator: Service;
  readonly relay: Service;
  readonly gateway: GatewayService;
  /** Those that were asked for and can be had here. */
  readonly peers: Peers;
  readonly device: Device;
  readonly adminToken: string;
  readonly stores: Stores;
  /** Starts another gateway on the same stores. */
  startGateway(name: string, prefix: readonly string[]): Promise<GatewayService>;
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
  const stores = await startStores(context);
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
  const startGateway = async (name: string, own: Partial<ServiceOptions>): Promise<GatewayService> => {
    const [internalPort = 0] = await reservePorts(1);
    const env = gatewaySettings({ simulatorUrl: simulator.url, runId, stores, internalPort });
    const service = await start(name, resolve(checkout, 'src/main.ts'), {
      ...{ arguments: ['serve'], ...own },
      env: { ...env, ADMIN_TOKEN: adminToken },
    });
    return { ...service, internalUrl: `http://127.0.0.1:${internalPort}` };
  };
  const gateway = await startGateway('gateway', { prefix, nodeArguments });
  const device = await activateDevice(gateway.url, adminToken);
  return {
    simulator,
    relay,
    gateway,
    peers,
    device,
    adminToken,
    stores,
    startGateway: (name, core) => startGateway(name, { prefix: core }),
    booked: () => stores.booked(device.licenseId),
  };
}

/** Everything on, as in production. */
function gatewaySettings(where: {
  simulatorUrl: string;
  runId: string;
  stores: Stores;
  internalPort: number;
}): Record<string, string> {
  const { simulatorUrl, runId, stores, internalPort } = where;
  return {
    PORT: '0',
    INTERNAL_PORT: String(internalPort),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    OPENAI_API_KEY: OPENAI_KEY,
    OPENAI_BASE_URL: simulatorUrl,
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    REDIS_PREFIX: `bench-${runId}`,
    SHUTDOWN_TIMEOUT_MS: '2000',
    // A machine that is busy otherwise stops everything for longer than the default; what is decided late is measured, too.
    REDIS_TIMEOUT_MS: '2000',
  };
}
