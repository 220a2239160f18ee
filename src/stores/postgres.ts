import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import knexFactory, { type Knex } from 'knex';
import pg from 'pg';
import { migrateToLatest, type Database } from './database.ts';
import { guardedClient } from './guarded-client.ts';
import { DatabaseHealth } from './health.ts';
import type { OperationReport } from './operation-report.ts';
import { PostgresProbe } from './postgres-probe.ts';

const { INT8, DATE } = pg.types.builtins;

/** Any fixed number serves, as long as it is this project's own. */
const MIGRATION_LOCK = 0x11ce45e;

/**
 * Connections of one instance: 16 in all with the probe's one, so that five instances and a rolling update fit
 * PostgreSQL's default of 100 (`max_connections`, of which 3 are for superusers). Three more are open for a moment at
 * the start, while the schema is brought up to date and the others are not yet made.
 */
const CONNECTIONS = { knex: 8, sessions: 3, ledger: 4 };

/** A database that is there may take so long for one statement, or to become free for it. Milliseconds. */
const STATEMENT_LIMIT = 5_000;
/** The server ends a statement first, so that its connection stays usable. Milliseconds. */
const READ_LIMIT = STATEMENT_LIMIT + 1_000;
/** How often a slow database is asked for a sign of life at the start, and how long between. Milliseconds. */
const TRIES_AT_START = 20;
const ASK_AGAIN = 200;
/** Closing waits so long for what is under way. Milliseconds. */
const CLOSE_LIMIT = 1_000;

/** Told each time that the database is found away, and when it is back. */
export interface OutageReport {
  failed(error: unknown): void;
  succeeded(): void;
  /** Whom to tell of each query of a pool. */
  queries?: (use: PoolName) => OperationReport;
}

/** What the pools are called in the metrics: see `Database`. */
export type PoolName = 'licensing' | 'sessions' | 'ledger';

/**
 * Opens the pools. Connections are made when first needed. While the database is away, each query is given up within
 * a second and no connection that was open survives.
 * @param url `postgres://…`
 */
export function openPostgres(url: string, report?: OutageReport): Database {
  const sockets = new Sockets();
  const probe = new PostgresProbe(connectionTo(url), sockets.open);
  const health = new DatabaseHealth(probe, {
    away() {
      report?.failed(new Error(`${description} does not answer`));
      // Those that are idle too: a server that is back has forgotten them, or a firewall between us has, and whoever got
      // one of them next would wait for minutes.
      sockets.cut();
    },
    back: () => report?.succeeded(),
  });
  const open = (use: PoolName, max: number): Knex => {
    const client = guardedClient(health, report?.queries?.(use));
    return connect(url, { client, max, limited: true, stream: sockets.open });
  };
  const pools = {
    knex: open('licensing', CONNECTIONS.knex),
    sessions: open('sessions', CONNECTIONS.sessions),
    ledger: open('ledger', CONNECTIONS.ledger),
  };
  const description = describe(url);
  return {
    ...pools,
    state: health,
    isServer: true,
    description,
    async migrate() {
      await migrateUnderLock(url, description);
      // The probe's connection is made now: later, when somebody waits for its answer, it would take too long. Whoever
      // has just been served by a database that is slow to answer does not give up at its start for that.
      for (let tries = 0; tries < TRIES_AT_START && !(await health.ask()); tries += 1) await sleep(ASK_AGAIN);
    },
    async close() {
      health.close();
      // A server that hangs does not answer the goodbye either.
      const cut = setTimeout(() => sockets.cut(), CLOSE_LIMIT);
      await Promise.all([probe.close(), ...Object.values(pools).map((pool) => pool.destroy())]);
      clearTimeout(cut);
    },
  };
}

function describe(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `PostgreSQL at ${hostname || 'localhost'}:${port || '5432'}${pathname}`;
}

/** All connections' sockets, so that they can be closed without a word. */
class Sockets {
  readonly #open = new Set<Socket>();

  readonly open = (): Socket => {
    const socket = new Socket();
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

function connectionTo(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'licensify',
    // As long as for a statement: whether the database is there at all, the probe tells much sooner.
    connectionTimeoutMillis: STATEMENT_LIMIT,
    keepAlive: true,
    // By default the kernel notices after two hours that a silent peer has gone, and firewalls forget us sooner.
    keepAliveInitialDelayMillis: 30_000,
  };
}

interface Pool {
  client: string | typeof Knex.Client;
  max: number;
  /** Whether statements, and waiting for a connection, have a limit. */
  limited: boolean;
  stream?: () => Socket;
}

function connect(url: string, { client, max, limited, stream }: Pool): Knex {
  const limits = { statement_timeout: STATEMENT_LIMIT, query_timeout: READ_LIMIT };
  return knexFactory({
    client,
    connection: {
      ...connectionTo(url),
      ...(limited && limits),
      ...(stream && { stream }),
      types: { getTypeParser: typeParser },
    } as Knex.PgConnectionConfig,
    // knex waits 60 s for a connection by default: a proxy's caller has long gone by then.
    acquireConnectionTimeout: STATEMENT_LIMIT,
    // One that still waits for an answer, nobody having waited with it, is of no use.
    pool: { min: 0, max, validate: (connection: { readyForQuery: boolean }) => connection.readyForQuery },
    // What knex would print with it is also thrown, to a caller who knows where it belongs.
    log: { warn: ignore, error: ignore, deprecate: ignore, debug: ignore },
  });
}

const ignore = (): void => undefined;

/** Counts fit a double; dates are UTC days, not the midnights of this machine's time zone. */
function typeParser(...[oid, format]: Parameters<typeof pg.types.getTypeParser>): unknown {
  if (oid === INT8) return Number;
  if (oid === DATE) return String;
  return pg.types.getTypeParser(oid, format);
}

/**
 * Instances that start together take turns at an advisory lock, which the server frees if its holder dies. Knex's own
 * lock is a row that would stay locked for good; whoever holds ours may free it.
 */
async function migrateUnderLock(url: string, description: string): Promise<void> {
  const knex = connect(url, { client: 'pg', max: 3, limited: false });
  try {
    await knex.raw('SELECT 1').catch((cause: unknown) => {
      throw new Error(`${description} cannot be used: correct DATABASE_URL, or start it`, { cause });
    });
    await knex.transaction(async (lock) => {
      await lock.raw('SELECT pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
      await knex.migrate.forceFreeMigrationsLock().catch(() => undefined);
      await migrateToLatest(knex);
    });
  } finally {
    await knex.destroy();
  }
}
