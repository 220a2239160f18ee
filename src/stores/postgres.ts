import knexFactory, { type Knex } from 'knex';
import pg from 'pg';
import { migrateToLatest, type Database } from './database.ts';

const { INT8, DATE } = pg.types.builtins;

/** Any fixed number serves, as long as it is this project's own. */
const MIGRATION_LOCK = 0x11ce45e;

/**
 * Opens the pool. Connections are made when first needed.
 * @param url `postgres://…`
 */
export function openPostgres(url: string): Database {
  const knex = connect(url, { max: 10, queryTimeoutMs: 5_000 });
  const { hostname, port, pathname } = new URL(url);
  const description = `PostgreSQL at ${hostname || 'localhost'}:${port || '5432'}${pathname}`;
  return {
    knex,
    description,
    migrate: () => migrateUnderLock(url, description),
    close: () => knex.destroy(),
  };
}

function connect(url: string, options: { max: number; queryTimeoutMs: number }): Knex {
  return knexFactory({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: 'licensify',
      statement_timeout: options.queryTimeoutMs,
      query_timeout: options.queryTimeoutMs,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      types: { getTypeParser: typeParser },
    } as Knex.PgConnectionConfig,
    // knex waits 60 s for a connection by default: a proxy's caller has long gone by then.
    acquireConnectionTimeout: 1_000,
    pool: { min: 0, max: options.max },
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
  const knex = connect(url, { max: 3, queryTimeoutMs: 0 });
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
