import type { Knex } from 'knex';
import type { Config } from '../config.ts';
import type { Database } from '../stores/database.ts';
import { settings } from './settings.ts';
import { printJson } from './tables.ts';
import { CommandError, reasonOf, type Terminal } from './terminal.ts';

/** `licensify migrate`: the schema's missing steps, on whichever database the settings name. */
export async function migrate(terminal: Terminal, { json }: { json: boolean }): Promise<void> {
  try {
    const { description, applied } = await migrateDatabase(settings(terminal));
    if (json) printJson(terminal, { database: description, applied });
    else if (applied.length === 0) terminal.print(`${description} is up to date already.`);
    else terminal.print(`${description} is up to date now: ${applied.join(', ')}.`);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The database is not migrated: ${reasonOf(error)}`, { cause: error });
  }
}

async function migrateDatabase(config: Config): Promise<{ description: string; applied: string[] }> {
  const database = await openDatabase(config);
  try {
    // Where this cannot be asked, the migration itself says best what is wrong.
    const before = new Set(await appliedMigrations(database.knex).catch(() => []));
    await database.migrate();
    const after = await appliedMigrations(database.knex);
    return { description: database.description, applied: after.filter((name) => !before.has(name)) };
  } finally {
    await database.close();
  }
}

/** The database that the settings name, without a gateway. */
export async function openDatabase({ databaseUrl, dataDir }: Config): Promise<Database> {
  if (databaseUrl === undefined) return (await import('../stores/embedded.ts')).openEmbedded(dataDir);
  return (await import('../stores/postgres.ts')).openPostgres(databaseUrl);
}

async function appliedMigrations(knex: Knex): Promise<string[]> {
  if (!(await knex.schema.hasTable('knex_migrations'))) return [];
  return knex<{ id: number; name: string }>('knex_migrations').orderBy('id').pluck('name');
}
