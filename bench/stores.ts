import pg from 'pg';
import type { FoundServer } from '../test/support/servers/find-server.ts';
import type { RunContext } from '../test/support/servers/run-context.ts';
import { findPostgresServer, findRedisServer } from '../test/support/servers/ways.ts';

/** A Redis, and a database of the run's own that goes with it. */
export interface Stores {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** For people. */
  readonly description: string;
  /** How many requests the ledger in PostgreSQL holds of a license. */
  booked(licenseId: string): Promise<number>;
}

/** Finds or starts both. BENCH_DATABASE_TEMPLATE names a database of that server to copy, such as one that `state` fills. */
export async function startStores(context: RunContext): Promise<Stores> {
  const postgres = await acquire(findPostgresServer, context);
  const redis = await acquire(findRedisServer, context);
  const database = await createDatabase(postgres.url, context);
  return {
    redisUrl: redis.url,
    databaseUrl: database.url,
    description: `PostgreSQL: ${postgres.description}; Redis: ${redis.description}`,
    booked: (licenseId) => database.booked(licenseId),
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
  { closers, runId, env }: RunContext,
): Promise<{ url: string; booked(licenseId: string): Promise<number> }> {
  const name = `licensify_bench_${runId}`;
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  const template = pg.escapeIdentifier(env.BENCH_DATABASE_TEMPLATE ?? 'template1');
  await server.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE ${template}`);
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
