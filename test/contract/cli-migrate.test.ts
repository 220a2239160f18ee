import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { licensify, temporaryFolder } from '../support/cli.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { freePort } from '../support/servers/processes.ts';

describe('licensify migrate', () => {
  for (const database of ['PostgreSQL', 'the embedded database']) {
    it(`brings ${database} up to date, and says when it is`, async () => {
      using folder = temporaryFolder();
      const env =
        database === 'PostgreSQL'
          ? { DATABASE_URL: (await createTestDatabase()).url }
          : { DATA_DIR: folder.path };
      const first = await licensify(['migrate'], { env });
      assert.deepEqual([first.code, first.err], [0, '']);
      assert.match(first.out, /PostgreSQL .* is up to date now: 0001-initial/);
      assert.match((await licensify(['migrate'], { env })).out, / is up to date already\.\n$/);
      const json = JSON.parse((await licensify(['migrate', '--json'], { env })).out) as { applied: string[] };
      assert.deepEqual(json.applied, []);
    });
  }

  it('names the setting where the database cannot be reached', async () => {
    const env = { DATABASE_URL: `postgres://user:hush@127.0.0.1:${await freePort()}/db` };
    const { code, out, err } = await licensify(['migrate'], { env });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^The database is not migrated: PostgreSQL at .* cannot be used: correct DATABASE_URL/);
    assert.doesNotMatch(err, /hush/);
  });
});
