import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { openPostgres } from '../../src/stores/postgres.ts';
import { SecretBox } from '../../src/stores/secret-box.ts';
import { StoredKeys } from '../../src/upstream/stored-keys.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/servers/databases.ts';

it('of keys that are set one upon the other at several instances the last one stays, everywhere', async (t) => {
  const database = openPostgres((await createTestDatabase()).url);
  await database.migrate();
  const box = new SecretBox([randomBytes(32)]);
  const listeners: (() => void)[] = [];
  const open = (): Promise<StoredKeys> =>
    StoredKeys.open({
      ...{ db: database.knex, box, now: Date.now, changed: () => undefined },
      news: {
        announce() {
          for (const tell of listeners) tell();
          return Promise.resolve();
        },
        onNews: (listener) => void listeners.push(listener),
      },
      report: { failed: () => undefined, succeeded: () => undefined },
    });
  const instances = await Promise.all([open(), open(), open()]);
  t.after(async () => {
    for (const keys of instances) keys.close();
    await database.close();
  });
  // More than a reading takes, so that news come in the midst of readings.
  for (let turn = 0; turn < 60; turn += 1) {
    const key = `sk-number-${turn}-0123456789`;
    const setting = instances[turn % 3];
    const removing = turn % 7 === 6 ? instances[(turn + 1) % 3]?.remove('openai') : undefined;
    await Promise.all([setting?.set('anthropic', key), setting?.set('openai', key), removing]);
    assert.equal(setting?.get('anthropic')?.value, key, 'where it was set, at once');
  }
  const { knex: db } = database;
  const rows = await db<{ provider: 'openai' | 'anthropic'; fingerprint: string }>('provider_keys').select();
  assert.equal(rows.length > 0, true);
  for (const { provider, fingerprint } of rows) {
    for (const keys of instances) {
      await eventually(() => assert.equal(keys.get(provider)?.fingerprint, fingerprint), 5_000);
    }
  }
});
