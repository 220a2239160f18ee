import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { Knex } from 'knex';
import { systemClock, type Clock } from './clock.ts';
import type { Config } from './config.ts';
import { openCounting, type Counting } from './counting.ts';
import { createApp, type AppParts } from './http/app.ts';
import { createAttempts, limitRequests } from './http/attempts.ts';
import { createInternalApp } from './http/internal.ts';
import type { RequestState } from './http/request-state.ts';
import { Readiness } from './http/readiness.ts';
import {
  createInternalServer,
  createPublicServer,
  listen,
  stopInternalServer,
  stopPublicServer,
} from './http/server.ts';
import { Activation } from './licensing/activation.ts';
import { AdminTokens } from './licensing/admin-tokens.ts';
import { recordInAudit } from './licensing/audit.ts';
import type { Changes } from './licensing/changes.ts';
import { recordWith, type Recorder } from './licensing/changes-recorder.ts';
import { Devices } from './licensing/devices.ts';
import { AdminTokenKeys, ProxyKeys } from './licensing/keys.ts';
import { Licenses } from './licensing/licenses.ts';
import { Replays } from './licensing/proofs/replays.ts';
import { OpenStreams } from './licensing/open-streams.ts';
import { Sessions } from './licensing/sessions.ts';
import { TierMigration } from './licensing/tier-migration.ts';
import type { Tiers } from './licensing/tiers.ts';
import type { TiersInForce } from './licensing/tiers-in-force.ts';
import { Metrics } from './observe/metrics.ts';
import type { Logger } from './observe/log.ts';
import { Trouble } from './observe/trouble.ts';
import type { Admission } from './quota/admission.ts';
import { openSignUp } from './open-sign-up.ts';
import { openTiers } from './open-tiers.ts';
import { DatabaseUnavailable, patiently, sharedSecret, type Database } from './stores/database.ts';
import { openEmbedded } from './stores/embedded.ts';
import { openPostgres } from './stores/postgres.ts';
import { openKeyRing, sealedColumns } from './provider-keys.ts';
import { SecretBox } from './stores/secret-box.ts';
import type { KeyRing } from './upstream/key-ring.ts';
import { Relay } from './upstream/relay.ts';
import { version } from './version.ts';
import { watchGateway } from './watch-gateway.ts';

/** A silent provider is answered for before its client's connection counts as idle. Milliseconds. */
const IDLE_MARGIN = 10_000;

export interface GatewayOptions {
  config: Config;
  /** Those that it starts with: `Gateway.tiers` takes others. */
  tiers: Tiers;
  log: Logger;
  /** Of the admin API; undefined: it is off. */
  adminToken: string | undefined;
  /** Replaces every clock, Redis' own included: for tests. */
  clock?: Clock;
}

/** A gateway that serves. */
export interface Gateway {
  /** `http://127.0.0.1:8080`: where it can be reached from this machine. */
  readonly url: string;
  readonly internalUrl: string;
  /** For people: which stores it uses. */
  readonly stores: { database: string; counters: string };
  readonly knex: Knex;
  readonly providerKeys: Pick<KeyRing, 'inForce'>;
  readonly admission: Admission;
  readonly tiers: TiersInForce;
  /** Stops taking requests, lets those under way end within the drain time, writes what was counted, closes. */
  close(): Promise<void>;
}

/** What was opened is closed in the opposite order, each step even if one before it failed. */
class Closers {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.unshift(close);
  }

  async closeAll(log: Logger): Promise<void> {
    for (const close of this.#closers.splice(0)) {
      try {
        await close();
      } catch (err) {
        log.error({ err }, 'closing failed');
      }
    }
  }
}

/** Builds a gateway, top to bottom, and starts it. @throws if a store cannot be opened or a port is taken */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const closers = new Closers();
  try {
    return await build(options, closers);
  } catch (error) {
    await closers.closeAll(options.log);
    throw error;
  }
}

async function build(options: GatewayOptions, closers: Closers): Promise<Gateway> {
  const { config, log } = options;
  const clock = options.clock ?? systemClock;
  const open = new Set<RequestState>();
  const metrics = new Metrics(version, () => open);

  const database = await openDatabase(config, log, metrics);
  closers.add(() => database.close());
  await database.migrate();
  const tiers = await openTiers(options.tiers, { db: database.knex, log, metrics });
  const counting = await openCounting({ config, knex: database.ledger, clock: options.clock, log, metrics });
  closers.add(() => counting.close());

  const relay = new Relay(config.upstreamTimeoutMs);
  closers.add(() => relay.close());
  const box = config.masterKeys.length === 0 ? undefined : new SecretBox(config.masterKeys);
  const { knex: db } = database;
  const keys = await openKeyRing({ config, db, box, changes: counting.changes, clock, log, metrics });
  closers.add(() => keys.close());

  const licensing = await createLicensing(config, tiers, database, {
    clock,
    changes: counting.changes,
    metrics,
  });
  closers.add(() => licensing.streams.close());
  const { licenses, sessions } = licensing;
  watchGateway({ metrics, database, counting, sessions, tiers: tiers.current, clock });
  const signUp = await openSignUp({ config, database, clock, licenses, tiers: tiers.current, log, metrics });
  closers.add(signUp.close);
  const app = createApp({
    ...appSettings(options, counting),
    signUp,
    observer: { log, open, metrics: metrics.requests },
    common: {
      clock,
      db: database.knex,
      tiers: tiers.current,
      admission: counting.admission,
      providerKeys: keys,
      sealed: { box, columns: sealedColumns },
      replays: new Replays({ redis: counting.redis, prefix: config.redisPrefix, clock }),
      requireSignature: config.requireSignature,
      ...licensing,
    },
    upstream: config.proxyMode ? { relay, keys, baseUrls: config.baseUrls } : undefined,
    decided(license, limits, decision) {
      metrics.requests.admitted(license.tier, decision);
      if (decision.outcome !== 'unavailable' && decision.used !== undefined)
        counting.nearLimits.note(license, limits, decision.used);
    },
  });
  const servers = await openServers({ config, app, metrics, database, counting, closers });
  return {
    url: urlOf(servers.public, config.host),
    internalUrl: urlOf(servers.internal, config.host),
    stores: { database: database.description, counters: counting.description },
    knex: database.knex,
    providerKeys: keys,
    admission: counting.admission,
    tiers,
    close: () => closers.closeAll(log),
  };
}

function appSettings(
  { config, adminToken }: GatewayOptions,
  { redis }: Counting,
): Pick<
  AppParts,
  'trustProxy' | 'corsOrigins' | 'maxBodyBytes' | 'adminToken' | 'attempts' | 'mailLimit' | 'directKey'
> {
  return {
    trustProxy: config.trustProxy,
    corsOrigins: config.corsOrigins,
    maxBodyBytes: config.maxBodyBytes,
    adminToken,
    attempts: createAttempts(redis, config.redisPrefix),
    mailLimit: limitRequests(redis, config.redisPrefix, 'mails'),
    directKey: config.proxyMode ? undefined : config.protectedApiKey,
  };
}

interface ServerParts {
  config: Config;
  app: Express;
  metrics: Metrics;
  database: Database;
  counting: Counting;
  closers: Closers;
}

/** Both listeners. Stopping goes the other way: readiness turns red, then the public one drains, then the internal one. */
async function openServers(parts: ServerParts): Promise<{ public: Server; internal: Server }> {
  const { config, closers, database, counting } = parts;
  const readiness = new Readiness([
    { problem: 'the database cannot be reached', check: () => answered(database) },
    { problem: 'the counters cannot be reached', check: () => counting.ping() },
  ]);
  const internal = createInternalServer(createInternalApp({ metrics: parts.metrics.exposition, readiness }));
  closers.add(() => stopInternalServer(internal));
  await listen(internal, { port: config.internalPort, host: config.host, variable: 'INTERNAL_PORT' });
  const open = createPublicServer(parts.app, config.upstreamTimeoutMs + IDLE_MARGIN);
  const times = { delayMs: config.shutdownDelayMs, drainMs: config.shutdownTimeoutMs };
  closers.add(() => stopPublicServer(open, times));
  closers.add(() => (readiness.stage = 'shutting down'));
  await listen(open.server, { port: config.port, host: config.host, variable: 'PORT' });
  readiness.stage = 'serving';
  return { public: open.server, internal };
}

async function answered({ state }: Database): Promise<void> {
  if (!(await state.ask())) throw new DatabaseUnavailable('the database does not answer');
}

async function openDatabase(
  { databaseUrl, dataDir }: Config,
  log: Logger,
  metrics: Metrics,
): Promise<Database> {
  if (databaseUrl === undefined)
    return openEmbedded(dataDir, metrics.stores.operations('postgres', 'embedded'));
  const away = new Trouble(log, 'the database cannot be reached; trying again');
  return openPostgres(databaseUrl, {
    failed(err) {
      metrics.stores.connectionFailed('postgres');
      away.failed(err);
    },
    succeeded: () => away.succeeded(),
    queries: (use) => metrics.stores.operations('postgres', use),
  });
}

async function createLicensing(
  config: Config,
  tiers: TiersInForce,
  { knex: db, sessions: sessionsDb }: Database,
  { clock, changes, metrics }: { clock: Clock; changes: Changes; metrics: Metrics },
): Promise<{
  licenses: Licenses;
  devices: Devices;
  activation: Activation;
  adminTokens: AdminTokens;
  record: Recorder;
  tierMigration: TierMigration;
  sessions: Sessions;
  streams: OpenStreams;
}> {
  const keys = new ProxyKeys(await patiently(() => sharedSecret(db, 'proxy-key-tag', 32)));
  const sessions = new Sessions(sessionsDb, clock, changes, keys);
  const tokenKeys = new AdminTokenKeys(await patiently(() => sharedSecret(db, 'admin-token-tag', 32)));
  const graceMs = config.proxyKeyGraceSeconds * 1_000;
  // Each is told of every change, in the transaction that makes it.
  const record = recordWith([recordInAudit]);
  return {
    record,
    sessions,
    streams: new OpenStreams(sessions, changes, (at) => metrics.sessions.tookEffect('cut', at)),
    licenses: new Licenses(db, clock, changes, record),
    devices: new Devices(db, clock, changes, record),
    tierMigration: new TierMigration({ db, clock, changes, record }),
    adminTokens: new AdminTokens({ db, clock, keys: tokenKeys, record }),
    activation: new Activation({ db, clock, changes, record, keys, tiers: tiers.current, graceMs }),
  };
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
