import type { Knex } from 'knex';
import { Closers } from './closers.ts';
import { systemClock, type Clock } from './clock.ts';
import type { Config } from './config.ts';
import { openCounting, type Counting } from './counting.ts';
import { createApp, type AppParts } from './http/app.ts';
import { createAttempts, limitRequests } from './http/attempts.ts';
import type { RequestState } from './http/request-state.ts';
import { Replays } from './licensing/proofs/replays.ts';
import { keepHouse } from './housekeeping.ts';
import type { Tiers } from './licensing/tiers.ts';
import { secretBoxFor } from './master-key.ts';
import { openWebhooks } from './notifying.ts';
import { openLicensing, type Licensing } from './open-licensing.ts';
import { openServers } from './open-servers.ts';
import type { TiersInForce } from './licensing/tiers-in-force.ts';
import { Metrics } from './observe/metrics.ts';
import type { Logger } from './observe/log.ts';
import { openTracing, type Tracing } from './observe/tracing.ts';
import { Trouble } from './observe/trouble.ts';
import type { Admission } from './quota/admission.ts';
import { openSignUp } from './open-sign-up.ts';
import { openTiers } from './open-tiers.ts';
import type { Database } from './stores/database.ts';
import type { SecretBox } from './stores/secret-box.ts';
import { openEmbedded } from './stores/embedded.ts';
import { openPostgres } from './stores/postgres.ts';
import { openKeyRing, sealedColumns as providerKeyColumns } from './provider-keys.ts';
import { sealedColumns as webhookColumns } from './webhooks/endpoints.ts';
import type { KeyRing } from './upstream/key-ring.ts';
import { Relay } from './upstream/relay.ts';
import { version } from './version.ts';
import { watchGateway } from './watch-gateway.ts';

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
  const common = { config, clock, log, metrics };
  const tracing = await openTracing(config.tracing, { log, version });
  closers.add(() => tracing?.close());

  const database = await openDatabase(config, log, metrics);
  closers.add(() => database.close());
  await database.migrate();
  const { knex } = database;
  const box = secretBoxFor(config);
  const tiers = await openTiers(options.tiers, { db: knex, log, metrics });
  const counting = await openCounting({ ...common, knex: database.ledger, clock: options.clock });
  closers.add(() => counting.close());
  const { changes, admission } = counting;
  const keys = await openKeyRing({ ...common, db: knex, box, changes });
  closers.add(() => keys.close());
  const licensing = await openLicensing({ ...common, database, changes, tiers: tiers.current });
  closers.add(() => licensing.streams.close());
  closers.add(keepHouse({ ...common, db: database.ledger, redis: counting.redis }));
  watchGateway({ ...common, database, counting, sessions: licensing.sessions, tiers: tiers.current });

  const parts = { ...common, tracing, database, counting, licensing, tiers: tiers.current, box, keys };
  const app = createApp({ ...appSettings(options, counting), ...(await openApp(parts, closers, open)) });
  const { url, internalUrl } = await openServers({ config, app, metrics, database, counting, closers });
  return {
    url,
    internalUrl,
    stores: { database: database.description, counters: counting.description },
    knex,
    providerKeys: keys,
    admission,
    tiers,
    close: () => closers.closeAll(log),
  };
}

interface OpenParts {
  config: Config;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  tracing: Tracing | undefined;
  database: Database;
  counting: Counting;
  licensing: Licensing;
  tiers: () => Tiers;
  box: SecretBox | undefined;
  keys: KeyRing;
}

/** What only the application needs: sign-up, webhooks, the way to the providers. */
async function openApp(
  parts: OpenParts,
  closers: Closers,
  open: Set<RequestState>,
): Promise<Pick<AppParts, 'signUp' | 'observer' | 'common' | 'upstream' | 'decided' | 'counted'>> {
  const { config, clock, log, metrics, counting, licensing, tiers, box, keys } = parts;
  const { knex } = parts.database;
  const relay = new Relay(config.upstreamTimeoutMs);
  closers.add(() => relay.close());
  const signUp = await openSignUp({ ...parts, licenses: licensing.licenses });
  closers.add(signUp.close);
  const webhooks = openWebhooks({ config, knex, box, clock, tiers, log, metrics });
  closers.add(() => webhooks.close(config.shutdownTimeoutMs));
  const counted: AppParts['counted'] = (license, limits, used) => {
    counting.nearLimits.note(license, limits, used);
    webhooks.usage.observe(license.id, used, limits);
  };
  return {
    signUp,
    observer: { log, open, metrics: metrics.requests, tracing: parts.tracing },
    common: {
      ...licensing,
      clock,
      db: knex,
      tiers,
      admission: counting.admission,
      webhooks,
      providerKeys: keys,
      sealed: { box, columns: [...providerKeyColumns, ...webhookColumns] },
      replays: new Replays({ redis: counting.redis, prefix: config.redisPrefix, clock }),
      requireSignature: config.requireSignature,
    },
    upstream: config.proxyMode ? { relay, keys, baseUrls: config.baseUrls } : undefined,
    counted,
    decided(license, limits, decision) {
      metrics.requests.admitted(license.tier, decision);
      if (decision.outcome !== 'unavailable' && decision.used !== undefined)
        counted(license, limits, decision.used);
    },
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
