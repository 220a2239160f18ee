import type { Knex } from 'knex';
import PostgresClient from 'knex/lib/dialects/postgres/index.js';
import type pg from 'pg';
import { DatabaseUnavailable } from './database.ts';
import type { DatabaseHealth } from './health.ts';
import { reported, type OperationReport } from './operation-report.ts';

/**
 * Knex' PostgreSQL client, except that it waits for nothing while the database is away: neither for a connection nor
 * for an answer. Whoever opens the pool closes all its connections then, so that of a request which was answered with
 * 503 nothing is carried out afterwards, except a commit that was already on its way.
 * @param report told of each query
 */
export function guardedClient(health: DatabaseHealth, report?: OperationReport): typeof Knex.Client {
  return class GuardedClient extends PostgresClient {
    override async acquireRawConnection(): Promise<pg.Client> {
      refuseWhileAway(health);
      return (await super.acquireRawConnection()) as pg.Client;
    }

    override async acquireConnection(): Promise<pg.Client> {
      refuseWhileAway(health);
      const acquiring = super.acquireConnection() as Promise<pg.Client>;
      try {
        return await health.guard(acquiring);
      } catch (error) {
        // One that comes too late goes back to the pool.
        acquiring.then(
          (connection): unknown => super.releaseConnection(connection),
          () => undefined,
        );
        throw error;
      }
    }

    override query(connection: pg.Client, query: unknown): Promise<unknown> {
      return reported(health.guard(super.query(connection, query) as Promise<unknown>), report);
    }
  };
}

function refuseWhileAway(health: DatabaseHealth): void {
  if (health.away) throw new DatabaseUnavailable('the database does not answer');
}
