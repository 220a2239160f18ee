import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { LocalChanges } from '../../src/licensing/changes.ts';
import { ProxyKeys } from '../../src/licensing/keys.ts';
import { Sessions } from '../../src/licensing/sessions.ts';
import { systemClock } from '../../src/clock.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { createTestDatabase } from '../support/servers/databases.ts';

it('every instance of an installation finds its own keys plausible, and no other installation does', () => {
  const secret = randomBytes(32);
  const [instance, other, stranger] = [
    new ProxyKeys(secret),
    new ProxyKeys(secret),
    new ProxyKeys(randomBytes(32)),
  ];
  for (let round = 0; round < 200; round += 1) {
    const key = instance.issue();
    assert.ok(other.plausible(key));
    assert.equal(stranger.plausible(key), false);
  }
});

it('a key that was never issued is refused without asking the database', async (t) => {
  const database = openPostgres((await createTestDatabase()).url);
  t.after(() => database.close());
  await database.migrate();
  const keys = new ProxyKeys(randomBytes(32));
  const sessions = new Sessions(database.knex, systemClock, new LocalChanges(), keys);
  let queries = 0;
  database.knex.on('query', () => (queries += 1));

  const forged = new ProxyKeys(randomBytes(32));
  for (const key of ['px_', 'nonsense', forged.issue(), forged.issue()]) {
    assert.deepEqual(await sessions.authenticate(key), { known: false });
  }
  assert.equal(queries, 0);

  const plausible = keys.issue();
  for (let round = 0; round < 5; round += 1) {
    assert.deepEqual(await sessions.authenticate(plausible), { known: false });
  }
  assert.equal(queries, 1, 'and an unknown one that could have been issued asks once');
});
