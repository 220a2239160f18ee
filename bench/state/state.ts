import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import knexFactory, { type Knex } from 'knex';
import pg from 'pg';
import { readSession } from '../../src/licensing/session-rows.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { UsageRetention } from '../../src/usage/retention.ts';
import { startOwnPostgres } from '../../test/support/servers/own-postgres.ts';
import { startOwnRedis } from '../../test/support/servers/own-redis.ts';
import { makeTemporaryFolder, type RunContext } from '../../test/support/servers/run-context.ts';
import { startService, type Service } from '../services.ts';
import { percentile } from '../statistics.ts';
import { fillState, type StateSize } from './fill.ts';
import { timeFolds } from './folds.ts';
import { timeCalls, type Timed } from './gateway-calls.ts';
import { plansOf } from './plans.ts';

const FULL: StateSize = { licenses: 1_000_000, usageRows: 10_000_000 };
const QUICK: StateSize = { licenses: 100_000, usageRows: 1_000_000 };
const CALLS = 300;

/**
 * Fills PostgreSQL (TEST_DATABASE_URL, in a database of its own, or one of this machine) with a million licenses and ten
 * million rows of usage, a tenth of it with `quick`, or with `copy <database>` copies one that is filled, and times what could grow with them. Prints a table and writes
 * `bench/results/state.json`. @throws if a query reads a large table from one end to the other
 */
export async function printState(context: RunContext, [mode, filled]: readonly string[]): Promise<void> {
  const size = mode === 'quick' ? QUICK : FULL;
  const url = await newDatabase(context, mode === 'copy' ? filled : undefined);
  const database = openPostgres(url);
  context.closers.add('the connections', () => database.close());
  await database.migrate();
  if (mode !== 'copy') await fill(url, size);
  const gateway = await startGateway(context, url);
  const timed = [
    ...(await timeCalls({ ...gateway, db: database.knex, calls: CALLS })),
    { what: 'session look-up (no HTTP)', times: await timeSessions(database.sessions, size.licenses) },
    { what: 'a fold of 1,000 requests (no HTTP)', times: await foldTimes(database.ledger) },
  ];
  console.log(tableOf(timed));
  console.log(await retentionOf(database.ledger));
  const plans = await plansOf(database.knex);
  const scans = plans.filter(({ scanned }) => scanned.length > 0);
  console.log(
    `${plans.length} queries, ${scans.length} of which read a large table from one end to the other`,
  );
  writeResults({ size, timed: timed.map(summary) });
  if (scans.length > 0)
    throw new Error(scans.map(({ sql, scanned }) => `${scanned.join()}: ${sql}`).join('\n'));
}

/** Statements of minutes, which the gateway's own connections give up. */
async function fill(url: string, size: StateSize): Promise<void> {
  console.error(`filling: ${size.licenses} licenses, ${size.usageRows} rows of usage; this takes minutes`);
  const began = performance.now();
  const knex = knexFactory({ client: 'pg', connection: url });
  try {
    await fillState(knex, size);
    console.error(`filled in ${Math.round((performance.now() - began) / 1_000)} s`);
  } finally {
    await knex.destroy();
  }
}

/** @param template a database on TEST_DATABASE_URL that is filled already, to be copied */
async function newDatabase({ closers, env, runId }: RunContext, template = 'template1'): Promise<string> {
  let server = env.TEST_DATABASE_URL;
  if (server === undefined) {
    const own = await startOwnPostgres();
    closers.add('PostgreSQL', () => own.stop());
    server = own.url;
  }
  const name = `licensify_state_${runId}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(
    `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE ${pg.escapeIdentifier(template)} `,
  );
  closers.add('the database', async () => {
    await client.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    await client.end();
  });
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function startGateway(
  { closers, runId }: RunContext,
  databaseUrl: string,
): Promise<{ url: string; adminToken: string }> {
  const redis = await startOwnRedis({ appendOnly: true });
  closers.add('Redis', () => redis.stop());
  const adminToken = randomBytes(24).toString('hex');
  const service: Service = await startService('gateway', resolve(import.meta.dirname, '../../src/main.ts'), {
    folder: await makeTemporaryFolder(runId, 'state'),
    arguments: ['serve'],
    env: {
      PORT: '0',
      INTERNAL_PORT: '0',
      HOST: '127.0.0.1',
      ADMIN_TOKEN: adminToken,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redis.url,
    },
  });
  closers.add('the gateway', () => service.stop());
  return { url: service.url, adminToken };
}

async function timeSessions(db: Knex, licenses: number): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < 2 * CALLS; call += 1) {
    const number = 1 + Math.floor(Math.random() * licenses);
    const { rows } = await db.raw<{ rows: [{ hash: string }] }>(
      `SELECT encode(sha256(convert_to('key ' || ?::int, 'UTF8')), 'base64') AS hash`,
      [number],
    );
    const began = performance.now();
    if ((await readSession(db, rows[0].hash)) === undefined) throw new Error(`there is no key ${number}`);
    times.push(performance.now() - began);
  }
  return times;
}

async function foldTimes(db: Knex): Promise<number[]> {
  const ids = await db('licenses')
    .whereRaw('id IN (SELECT id FROM licenses TABLESAMPLE system (2) LIMIT 20000)')
    .pluck<string[]>('id');
  return timeFolds(db, ids, 40);
}

async function retentionOf(db: Knex): Promise<string> {
  const retention = new UsageRetention({
    db,
    months: 10,
    now: () => Date.now(),
    report: { deleted: () => undefined, failed: () => undefined },
  });
  const began = performance.now();
  const rows = await retention.deleteOld();
  await retention.close();
  const seconds = (performance.now() - began) / 1_000;
  return `retention: ${rows} rows deleted, ${Math.round(rows / seconds)} a second`;
}

function summary({ what, promised, times }: Timed) {
  const [p50, p99] = [percentile(times, 50), percentile(times, 99)];
  return { what, calls: times.length, p50, p99, ...(promised !== undefined && { promised }) };
}

function tableOf(timed: readonly Timed[]): string {
  const table = new Table({
    head: ['', 'calls', 'p50, ms', 'p99, ms', 'promised, ms'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { what, calls, p50, p99, promised } of timed.map(summary))
    table.push([what, calls, p50.toFixed(1), p99.toFixed(1), promised ?? '']);
  return table.toString();
}

function writeResults(results: object): void {
  const folder = join(import.meta.dirname, '..', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'state.json');
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), node: process.version, ...results }, undefined, 2)}\n`,
  );
  console.log(file);
}
