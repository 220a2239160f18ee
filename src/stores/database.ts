import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { migrations, type Migration } from '../../db/migrations/index.ts';

/** Whether the database is there, apart from how long it takes. */
export interface DatabaseState {
  /** True while it was not there when it was last asked. */
  readonly away: boolean;
  /** Asks it now. Resolves within half a second where it is another process. */
  ask(): Promise<boolean>;
}

/**
 * An open database and how to close it, whichever of the two kinds it is. Work of different importance has connections
 * of its own, where there are several: licenses that wait for each other keep nobody's request from being served.
 */
export interface Database {
  /** For the license and admin endpoints. */
  readonly knex: Knex;
  /** For looking up the keys of requests. */
  readonly sessions: Knex;
  /** For writing what was used, and for reading the counters from it. */
  readonly ledger: Knex;
  readonly state: DatabaseState;
  /** Whether it is a process of its own, with a pool of connections for each of these. */
  readonly isServer: boolean;
  /** For people: `embedded PostgreSQL in ./data` or `PostgreSQL at db:5432/licensify`. */
  readonly description: string;
  /** Brings the schema up to date; safe to call from any number of instances at once. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}

/** Thrown by whatever needs the database while it cannot be reached; the HTTP layer answers 503. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/**
 * Runs all migrations that are missing. The caller holds whatever lock is needed. Migrations that this version does not
 * know are no error: while a newer version is being rolled out, instances of this one are still started.
 */
export async function migrateToLatest(knex: Knex): Promise<void> {
  const migrationSource: Knex.MigrationSource<Migration> = {
    getMigrations: () => Promise.resolve(migrations),
    getMigrationName: (migration) => migration.name,
    getMigration: (migration) => Promise.resolve(migration),
  };
  await knex.migrate.latest({ migrationSource, disableMigrationsListValidation: true });
}

/** A gateway that starts waits so long for a database that has answered once, and then did not. Milliseconds. */
const PATIENCE_AT_START = 10_000;
const TRY_AGAIN_AFTER = 200;

/** Repeats work that is part of the start while the database is away. @throws what it failed with in the end */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_AT_START;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > deadline) throw error;
    }
    await sleep(TRY_AGAIN_AFTER);
  }
}

/**
 * A random value that all instances of this installation share: the first to ask makes it.
 * @param bytes its length where it is made
 */
export async function sharedSecret(knex: Knex, name: string, bytes: number): Promise<Buffer> {
  await knex('installation')
    .insert({ name, value: randomBytes(bytes) })
    .onConflict('name')
    .ignore();
  const row = await knex<{ name: string; value: Uint8Array }>('installation').where({ name }).first('value');
  if (row === undefined) throw new Error(`the installation's secret ${name} was not stored`);
  return Buffer.from(row.value);
}

const unreachable = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'ENOENT',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57014', // query_canceled: our statement_timeout
  '53100', // disk_full
  '53200', // out_of_memory
  '53300', // too_many_connections
  '25006', // read_only_sql_transaction: a fail-over is under way
]); // prettier-ignore

/** Whether an error says that the database is away or overloaded, rather than that the query was wrong. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof DatabaseUnavailable || error.name === 'KnexTimeoutError') return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (unreachable.has(code) || code.startsWith('08')) return true;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  // What pg throws without a code: a broken connection, a late answer, a connection that takes too long to be made.
  return /Connection terminated|Query read timeout|timeout expired|Unable to acquire a connection/.test(
    error.message,
  );
}
