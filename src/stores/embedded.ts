import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import knexFactory, { type Knex } from 'knex';
import PGliteDialect from 'knex-pglite';
import { migrateToLatest, type Database } from './database.ts';
import { lockFolder } from './folder-lock.ts';
import { reported, type OperationReport } from './operation-report.ts';

const INT8 = 20;
const DATE = 1082;

/**
 * Opens the embedded PostgreSQL (PGlite) in a folder of `dataDir`, creating it on first use.
 * @param report told of each query
 * @throws if another gateway runs on the same folder: two of them would destroy it.
 */
export async function openEmbedded(dataDir: string, report?: OperationReport): Promise<Database> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(dataDir);
  // The parsers match those of stores/postgres.ts, so that the rest sees one kind of row.
  const pglite = await PGlite.create(join(dataDir, 'pg'), { parsers: { [INT8]: Number, [DATE]: String } });
  const knex = knexFactory({
    client: reporting(report),
    // knex-pglite looks for an open database here; knex's own types do not know it.
    connection: { pglite } as object,
    acquireConnectionTimeout: 5_000,
  });
  return {
    knex,
    sessions: knex,
    ledger: knex,
    isServer: false,
    // It is in this process: what asks it waits for its turn, and never in vain.
    state: {
      away: false,
      ask: () =>
        knex.raw('SELECT 1').then(
          () => true,
          () => false,
        ),
    },
    description: `embedded PostgreSQL in ${dataDir}`,
    migrate: () => migrateToLatest(knex),
    async close() {
      await knex.destroy();
      if (!pglite.closed) await pglite.close();
      unlock();
    },
  };
}

function reporting(report: OperationReport | undefined): typeof Knex.Client {
  return class ReportingClient extends PGliteDialect {
    override query(connection: unknown, query: unknown): Promise<unknown> {
      return reported(super.query(connection, query) as Promise<unknown>, report);
    }
  };
}
