import assert from 'node:assert/strict';
import { it } from 'node:test';
import pg from 'pg';
import { migrations } from '../../db/migrations/index.ts';
import { spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/servers/databases.ts';

const PROCESSES = 8;
/** Starting eight processes at once takes its time. Milliseconds. */
const PATIENCE = 60_000;

it('eight migrations started at once, two of them killed in the midst: the others succeed, each step ran once', async (t) => {
  using folder = temporaryFolder();
  const { url } = await createTestDatabase();
  const [blocker, watcher] = [
    new pg.Client({ connectionString: url }),
    new pg.Client({ connectionString: url }),
  ];
  for (const client of [blocker, watcher]) {
    await client.connect();
    t.after(() => client.end());
  }
  // Whoever comes first stops in its first step: until this is undone nobody knows whether the table exists.
  await blocker.query('BEGIN');
  await blocker.query('CREATE TABLE installation (name text)');
  const names = Array.from({ length: PROCESSES }, (_, index) => `migrate-${index}`);
  const processes = new Map(
    names.map((name) => {
      const env = { DATABASE_URL: `${url}?application_name=${name}` };
      return [name, spawnLicensify(['migrate'], { cwd: folder.path, env })];
    }),
  );
  t.after(() => Promise.all([...processes.values()].map((process) => process.stop())));
  const waiting = async (): Promise<{ inTurn: string[]; atWork: string[] }> => {
    const { rows } = await watcher.query<{ name: string; event: string }>(
      `SELECT application_name AS name, wait_event AS event FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'migrate-%' AND wait_event_type = 'Lock'`,
    );
    const named = (isInTurn: boolean): string[] =>
      rows.flatMap(({ name, event }) => ((event === 'advisory') === isInTurn ? [name] : []));
    return { inTurn: named(true), atWork: named(false) };
  };
  const { inTurn, atWork } = await eventually(async () => {
    const seen = await waiting();
    assert.deepEqual([seen.inTurn.length, seen.atWork.length], [PROCESSES - 1, 1]);
    return seen;
  }, PATIENCE);

  const killed = [...atWork, ...inTurn.slice(0, 1)];
  for (const name of killed) await processes.get(name)?.stop();
  await blocker.query('ROLLBACK');
  for (const [name, process] of processes) {
    if (killed.includes(name)) continue;
    assert.equal(await process.ended(), 0, process.output());
  }
  const { rows } = await watcher.query<{ name: string }>('SELECT name FROM knex_migrations ORDER BY id');
  assert.deepEqual(
    rows.map(({ name }) => name),
    migrations.map(({ name }) => name),
  );
});
