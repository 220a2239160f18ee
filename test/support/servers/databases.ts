import { randomBytes } from 'node:crypto';

import pg from 'pg';

const PREFIX = 'licensify_test_';

/** An empty database for one test or test file. */
export interface TestDatabase {
  readonly url: string;
  /** Drops it before its time. Mostly there is no need to: the leak scan at the end reads what is there. */
  drop(): Promise<void>;
}

/** Throws a helpful error when the test was not started by `npm test`. */
export function requireServers(): {
  databaseUrl: string;
  redisUrl: string;
  runId: string;
  outputFolder: string;
} {
  const { TEST_DATABASE_URL, TEST_REDIS_URL, TEST_RUN_ID, TEST_OUTPUT_DIR } = process.env;
  if (!TEST_DATABASE_URL || !TEST_REDIS_URL || !TEST_RUN_ID || !TEST_OUTPUT_DIR) {
    throw new Error('This test needs PostgreSQL and Redis: run the tests through npm test -- <file>');
  }
  return {
    databaseUrl: TEST_DATABASE_URL,
    redisUrl: TEST_REDIS_URL,
    runId: TEST_RUN_ID,
    outputFolder: TEST_OUTPUT_DIR,
  };
}

/** Creates a database with a name of its own on the tests' PostgreSQL. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { databaseUrl, runId } = requireServers();
  const name = `${databasePrefix(runId)}${randomBytes(5).toString('hex')}`;
  // template0: nobody can be connected to it, which would make the creation fail.
  await query(databaseUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`);
  return { url: urlOf(databaseUrl, name), drop: () => dropDatabase(databaseUrl, name) };
}

/** The tests' Redis, or one of its numbered databases. Other test files use it at the same time. */
export function testRedisUrl(database?: number): string {
  const { redisUrl } = requireServers();
  if (database === undefined) return redisUrl;
  const url = new URL(redisUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** The databases that this run has created and not dropped, for the leak scan. */
export async function listTestDatabases(): Promise<{ name: string; url: string }[]> {
  const { databaseUrl, runId } = requireServers();
  const names = await namesOfRun(databaseUrl, runId);
  return names.map((name) => ({ name, url: urlOf(databaseUrl, name) }));
}

/** Drops what a run created on a server that is not ours to stop. */
export async function dropDatabasesOfRun(databaseUrl: string, runId: string): Promise<void> {
  for (const name of await namesOfRun(databaseUrl, runId)) await dropDatabase(databaseUrl, name);
}

const databasePrefix = (runId: string): string => `${PREFIX}${runId}_`;

function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function namesOfRun(databaseUrl: string, runId: string): Promise<string[]> {
  const rows = await query(
    databaseUrl,
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY 1',
    [databasePrefix(runId)],
  );
  return rows.map(({ datname }) => String(datname));
}

async function dropDatabase(databaseUrl: string, name: string): Promise<void> {
  await query(databaseUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
}

async function query(url: string, text: string, values: string[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}
