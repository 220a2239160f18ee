import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Knex } from 'knex';
import { LocalChanges } from '../../src/licensing/changes.ts';
import { ProxyKeys } from '../../src/licensing/keys.ts';
import { Sessions } from '../../src/licensing/sessions.ts';
import { FakeClock } from '../support/fake-clock.ts';

const row = {
  id: 'lic_1',
  tier: 'pro',
  expires_at: null,
  daily_limit: null,
  monthly_limit: null,
  max_activations: null,
  device_id: 1,
  hardware_id: 'hw-1',
  key_expires_at: null,
  public_key: null,
};

/** A database whose answers a test gives, one after the other, when it likes. */
function heldDatabase(): { db: Knex; asked: ((status: string) => void)[] } {
  const asked: ((status: string) => void)[] = [];
  const query = {
    join: () => query,
    where: () => query,
    whereNull: () => query,
    first: () =>
      new Promise((resolve) => {
        asked.push((status) => resolve({ ...row, status }));
      }),
  };
  return { db: (() => query) as unknown as Knex, asked };
}

for (const now of ['revoked', 'suspended', 'active']) {
  it(`a key whose license changes while it is looked up is looked up again: it is ${now}`, async () => {
    const { db, asked } = heldDatabase();
    const changes = new LocalChanges();
    const keys = new ProxyKeys(randomBytes(32));
    const sessions = new Sessions(db, new FakeClock('2026-03-10T12:00:00Z'), changes, keys);
    const key = keys.issue();

    const [one, other] = [sessions.authenticate(key), sessions.authenticate(key)];
    assert.equal(asked.length, 1, 'two requests share one look-up');
    await changes.announce('lic_1');
    asked[0]?.('active');
    await setImmediate();
    assert.equal(asked.length, 2, 'the first answer is not believed');
    asked[1]?.(now);
    for (const answer of [await one, await other, await sessions.authenticate(key)]) {
      assert.equal(answer.known ? answer.status : 'revoked', now);
    }
    assert.equal(asked.length, 2, 'what was read after the change is remembered');
  });
}
