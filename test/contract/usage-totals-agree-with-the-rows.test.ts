import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { openEmbedded } from '../../src/stores/embedded.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import type { Database } from '../../src/stores/database.ts';
import { applyToLedger, LedgerChanges } from '../../src/usage/ledger.ts';
import { temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { sumsOf } from '../support/usage-sums.ts';

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet'];

/** Some rows that are there already and some that are not, refunds and moved bookings among them. */
function someChanges(seed: number): LedgerChanges {
  const changes = new LedgerChanges();
  for (let index = 0; index < 40; index += 1) {
    const turn = seed * 7 + index;
    const booking = {
      licenseId: `lic_${turn % 13}`,
      deviceId: turn % 3,
      provider: turn % 2 === 0 ? 'openai' : 'anthropic',
      model: MODELS[turn % MODELS.length] ?? '',
      day: `2026-11-${String(1 + (turn % 5)).padStart(2, '0')}`,
    };
    const isRefund = turn % 4 === 0;
    changes.add({ ...booking, requests: isRefund ? -1 : 1 + (turn % 3), refunded: isRefund ? 1 : 0 });
  }
  return changes;
}

async function assertAgree(database: Database): Promise<void> {
  const { rows, totals } = await sumsOf(database.knex);
  assert.ok(rows.length > 5);
  assert.deepEqual(totals, rows);
}

describe('what is kept of all licenses together agrees with their rows', () => {
  it('after folds at the same time, roll-backs and deletions, and no fold waits for another one', async () => {
    const database = openPostgres((await createTestDatabase()).url);
    try {
      await database.migrate();
      const { ledger: db } = database;
      await Promise.all(
        Array.from({ length: 60 }, (_, seed) =>
          db.transaction((trx) => applyToLedger(trx, someChanges(seed))),
        ),
      );
      const undone = db.transaction(async (trx) => {
        await applyToLedger(trx, someChanges(1));
        throw new Error('undone');
      });
      await assert.rejects(undone, /undone/);
      await assertAgree(database);
      await db('usage').where({ license_id: 'lic_3' }).delete();
      await assertAgree(database);

      // One transaction holds the sums of a day while another adds to the same day, of a license that is not its own.
      const one = {
        deviceId: 1,
        provider: 'openai',
        model: 'gpt-4o',
        day: '2026-11-01',
        requests: 1,
        refunded: 0,
      };
      await db.transaction(async (first) => {
        await applyToLedger(first, changesOf({ ...one, licenseId: 'lic_a' }));
        await db.transaction(async (second) => {
          await second.raw('SET LOCAL lock_timeout = 1');
          await applyToLedger(second, changesOf({ ...one, licenseId: 'lic_b' }));
        });
      });
      await assertAgree(database);
    } finally {
      await database.close();
    }
  });

  it('where the gateway may write usage, and has no rights on a table that its version does not know', async () => {
    const database = openPostgres((await createTestDatabase()).url);
    const role = `licensify_test_${randomBytes(5).toString('hex')}`;
    try {
      await database.migrate();
      await database.knex.raw(`CREATE ROLE ${role}`);
      await database.knex.raw(`GRANT SELECT, INSERT, UPDATE ON usage TO ${role}`);
      for (const seed of [1, 2]) {
        await database.ledger.transaction(async (trx) => {
          await trx.raw(`SET LOCAL ROLE ${role}`);
          await applyToLedger(trx, someChanges(seed));
        });
      }
      await assertAgree(database);
    } finally {
      await database.knex.raw(`DROP OWNED BY ${role}`);
      await database.knex.raw(`DROP ROLE ${role}`);
      await database.close();
    }
  });

  it('in the embedded database', async () => {
    using folder = temporaryFolder();
    const database = await openEmbedded(folder.path);
    try {
      await database.migrate();
      for (let seed = 0; seed < 5; seed += 1)
        await database.ledger.transaction((trx) => applyToLedger(trx, someChanges(seed)));
      await assertAgree(database);
    } finally {
      await database.close();
    }
  });

  it('where rows were there before the sums were', async () => {
    const database = openPostgres((await createTestDatabase()).url);
    try {
      await database.migrate();
      const { up, down } = await import('../../db/migrations/0008-large-state.ts');
      await database.ledger.transaction(down);
      await database.ledger.transaction((trx) => applyToLedger(trx, someChanges(1)));
      await database.ledger.transaction(up);
      await assertAgree(database);
      await database.ledger.transaction((trx) => applyToLedger(trx, someChanges(2)));
      await assertAgree(database);
    } finally {
      await database.close();
    }
  });

  it('after requests that were served and ones that were given back', async () => {
    const gateway = await startTestGateway();
    try {
      const { proxyKey } = await gateway.device();
      const send = async (): Promise<number> => {
        const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] };
        const headers = { authorization: `Bearer ${proxyKey}` };
        return (await gateway.request('/proxy/openai/v1/chat/completions', { headers, body })).status;
      };
      for (let count = 0; count < 3; count += 1) assert.equal(await send(), 200);
      gateway.simulator.behave({ status: 500 });
      assert.equal(await send(), 500);
      await eventually(async () => {
        const { rows, totals } = await sumsOf(gateway.gateway.knex);
        assert.deepEqual(
          rows.map(({ requests, refunded }) => [requests, refunded]),
          [[3, 1]],
        );
        assert.deepEqual(totals, rows);
      }, 10_000);
    } finally {
      await gateway.close();
    }
  });
});

function changesOf(change: Parameters<LedgerChanges['add']>[0]): LedgerChanges {
  const changes = new LedgerChanges();
  changes.add(change);
  return changes;
}
