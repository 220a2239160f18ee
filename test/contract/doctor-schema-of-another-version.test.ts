import assert from 'node:assert/strict';
import { it } from 'node:test';
import pg from 'pg';
import { migrations } from '../../db/migrations/index.ts';
import { licensify } from '../support/cli.ts';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { freePort } from '../support/servers/processes.ts';

it('an empty database and a missing step fail, a step of a newer version warns', async () => {
  const { url } = await createTestDatabase();
  const env = { DATABASE_URL: url };
  const empty = await examined(env);
  assert.equal(empty.code, 1);
  assert.match(foundOf(empty, 'migrations').join(), /^fail: the database is empty -> licensify migrate/);

  assert.equal((await licensify(['migrate'], { env })).code, 0);
  assert.deepEqual(foundOf(await examined(env), 'migrations'), [`ok: all ${migrations.length} are there`]);

  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const last = migrations.at(-1)?.name ?? '';
  await client.query('UPDATE knex_migrations SET name = $1 WHERE name = $2', ['9999-from-the-future', last]);
  await client.end();
  assert.deepEqual(
    foundOf(await examined(env), 'migrations').map((found) => found.split(' -> ')[0]),
    [`fail: missing: ${last}`, 'warn: of a newer version: 9999-from-the-future'],
  );
});

it('a PostgreSQL that is not there is told with its place and without its password', async () => {
  const port = await freePort();
  const result = await examined({ DATABASE_URL: `postgres://user:hush@127.0.0.1:${port}/db` });
  assert.equal(result.code, 1);
  const [found = ''] = foundOf(result, 'database');
  assert.match(
    found,
    new RegExp(`^fail: PostgreSQL at 127\\.0\\.0\\.1:${port}/db cannot be used: .+ -> correct DATABASE_URL`),
  );
  assert.doesNotMatch(result.output, /hush/);
});
