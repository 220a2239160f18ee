import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Knex } from 'knex';
import { migrations } from '../../../db/migrations/index.ts';
import type { Config } from '../../config.ts';
import type { Database } from '../../stores/database.ts';
import { reasonOf } from '../terminal.ts';
import { failure, fine, warning, type Finding } from './finding.ts';

/** What an instance takes at most: stores/postgres.ts. */
const CONNECTIONS_AN_INSTANCE = 16;
/** The oldest major version that PostgreSQL's authors still care for: postgresql.org/support/versioning. */
const OLDEST_VERSION = 14;
/** Milliseconds. */
const SLOW = 20;
const TRIES = 5;

/** A database that was opened, or not, and what there is to say of it. */
export interface Opened {
  readonly database: Database | undefined;
  readonly findings: Finding[];
}

export async function openDatabase(config: Config): Promise<Opened> {
  const { databaseUrl, dataDir } = config;
  if (databaseUrl === undefined) return openEmbedded(dataDir);
  const { openPostgres } = await import('../../stores/postgres.ts');
  const database = openPostgres(databaseUrl);
  try {
    await database.knex.raw('SELECT 1');
    return { database, findings: await serverFindings(database) };
  } catch (error) {
    await database.close();
    const found = `${database.description} cannot be used: ${reasonOf(error)}`;
    const fix = 'correct DATABASE_URL, start PostgreSQL, or let this machine through';
    return { database: undefined, findings: [failure('database', found, fix)] };
  }
}

async function openEmbedded(dataDir: string): Promise<Opened> {
  if (!existsSync(join(dataDir, 'pg'))) {
    const found = `embedded PostgreSQL in ${dataDir}, which the first start makes`;
    return { database: undefined, findings: [fine('database', found)] };
  }
  try {
    const database = await (await import('../../stores/embedded.ts')).openEmbedded(dataDir);
    return { database, findings: [fine('database', `${database.description}: opens`)] };
  } catch (error) {
    const reason = reasonOf(error);
    // What is in use was opened by the gateway that uses it.
    const finding = reason.includes('is in use by another gateway')
      ? fine('database', `embedded PostgreSQL in ${dataDir}, in use by a running gateway; not looked into`)
      : failure('database', `embedded PostgreSQL in ${dataDir}: ${reason}`, 'restore DATA_DIR from a backup');
    return { database: undefined, findings: [finding] };
  }
}

interface Server {
  version: string;
  major: number;
  read_only: boolean;
  encoding: string;
  room: number;
  others: number;
}

async function serverFindings({ knex, description }: Database): Promise<Finding[]> {
  const server = await askServer(knex);
  const latency = await latencyOf(knex);
  const found = `${description}, version ${server.version}, answers in ${latency.toFixed(1)} ms`;
  const findings = [verdictOn(server, latency, found)];
  findings.push(connectionsFinding(server));
  return findings;
}

function verdictOn(
  { major, read_only: readOnly, encoding }: Server,
  latency: number,
  found: string,
): Finding {
  if (readOnly)
    return failure('database', `${found}; it takes no writes`, 'point DATABASE_URL to the primary');
  if (encoding !== 'UTF8')
    return failure('database', `${found}; its encoding is ${encoding}`, 'make the database with UTF8');
  if (major < OLDEST_VERSION)
    return warning('database', found, `upgrade to PostgreSQL ${OLDEST_VERSION} or newer`);
  if (latency > SLOW)
    return warning('database', found, 'bring it nearer to the gateway, or give it more CPU');
  return fine('database', found);
}

/** Two instances of sixteen: one, and the next version of it in a rolling update. */
function connectionsFinding({ room, others }: Server): Finding {
  const instances = Math.floor((room - others) / CONNECTIONS_AN_INSTANCE);
  const found = `${room} connections for everybody, ${others} taken by other programs: enough for ${instances} instances of ${CONNECTIONS_AN_INSTANCE}`;
  const fix = `raise max_connections to ${CONNECTIONS_AN_INSTANCE} for each instance and one more, and what others take`;
  if (instances < 1) return failure('database connections', found, fix);
  return instances < 2 ? warning('database connections', found, fix) : fine('database connections', found);
}

async function askServer(knex: Knex): Promise<Server> {
  const { rows } = await knex.raw<{ rows: [Server] }>(`
    SELECT current_setting('server_version') AS version,
      current_setting('server_version_num')::int / 10000 AS major,
      pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS read_only,
      current_setting('server_encoding') AS encoding,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0) AS room,
      (SELECT count(*)::int FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND application_name IS DISTINCT FROM 'licensify') AS others`);
  return rows[0];
}

/** The best of some tries: how far it is, not how busy this machine is just now. Milliseconds. */
async function latencyOf(knex: Knex): Promise<number> {
  let best = Infinity;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const began = performance.now();
    await knex.raw('SELECT 1');
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

/** Which steps of the schema are missing, and which there are that this version does not know. */
export async function migrationFindings({ knex }: Database): Promise<Finding[]> {
  const applied = (await knex.schema.hasTable('knex_migrations'))
    ? await knex<{ id: number; name: string }>('knex_migrations').orderBy('id').pluck('name')
    : [];
  const known = migrations.map(({ name }) => name);
  const missing = known.filter((name) => !applied.includes(name));
  const newer = applied.filter((name) => !known.includes(name));
  const findings: Finding[] = [];
  if (missing.length > 0) {
    const found = applied.length === 0 ? 'the database is empty' : `missing: ${missing.join(', ')}`;
    const fix = 'licensify migrate (serve does it at its start as well)';
    findings.push(failure('migrations', found, fix));
  }
  if (newer.length > 0) {
    const fix = 'none while a newer version is rolled out; afterwards upgrade this machine too';
    findings.push(warning('migrations', `of a newer version: ${newer.join(', ')}`, fix));
  }
  return findings.length > 0 ? findings : [fine('migrations', `all ${known.length} are there`)];
}
