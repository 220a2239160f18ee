import assert from 'node:assert/strict';
import { after, before, beforeEach, it } from 'node:test';
import { isoDay } from '../../src/quota/windows.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import type { Database } from '../../src/stores/database.ts';
import { UsageRetention } from '../../src/usage/retention.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { sumsOf } from '../support/usage-sums.ts';

let database: Database;
before(async () => {
  database = openPostgres((await createTestDatabase()).url);
  await database.migrate();
});
after(() => database.close());

const DAY_MS = 86_400_000;
const now = Date.now();
/** The first day of the month that lies so many months back. */
const monthStart = (back: number): number => {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - back, 1) / DAY_MS;
};
const today = Math.floor(now / DAY_MS);
/** The last and the first day of months, and days on either side of what is kept. */
const days = [
  today,
  monthStart(0),
  monthStart(0) - 1,
  monthStart(1),
  monthStart(1) - 1,
  monthStart(2),
  monthStart(2) - 1,
];

beforeEach(async () => {
  await database.knex.raw('TRUNCATE usage');
  for (const day of new Set(days)) {
    await database.knex.raw(
      `INSERT INTO usage SELECT 'lic_' || i, ?::date, 1, 'openai', 'gpt-4o', 2, 1 FROM generate_series(1, 2500) AS i`,
      [isoDay(day)],
    );
  }
});

function retention(months: number, clock: () => number = () => now): UsageRetention {
  const report = {
    deleted: () => undefined,
    failed(error: unknown): never {
      throw error;
    },
  };
  return new UsageRetention({ db: database.ledger, months, now: clock, report });
}

async function daysLeft(): Promise<string[]> {
  return database.knex('usage').distinct('day').orderBy('day').pluck('day');
}

const from = (first: number): string[] =>
  [...new Set(days)]
    .filter((day) => day >= first)
    .sort((a, b) => a - b)
    .map(isoDay);

async function deleting(months: number, clock?: () => number): Promise<number> {
  const one = retention(months, clock);
  const rows = await one.deleteOld();
  await one.close();
  return rows;
}

it('one month keeps the whole current one and the whole one before, in several batches, and their sums', async () => {
  assert.equal(await deleting(1), 3 * 2_500);
  assert.deepEqual(await daysLeft(), from(monthStart(1)));
  const { rows, totals } = await sumsOf(database.knex);
  assert.deepEqual(totals, rows);
  const left = await database.knex('usage_totals').where('day', '<', isoDay(monthStart(1)));
  assert.deepEqual(left, [], 'no rows are left of days whose usage is gone');
  assert.equal(await deleting(1), 0);
});

it('two months keep one more', async () => {
  await deleting(2);
  assert.deepEqual(await daysLeft(), from(monthStart(2)));
});

it('fewer than one is refused, and a clock that runs a year ahead deletes nothing that counts', async () => {
  assert.throws(() => retention(0), RangeError);
  await deleting(1, () => now + 366 * DAY_MS);
  assert.deepEqual(await daysLeft(), from(monthStart(1)));
});

it('while one instance is at it, another one leaves it to it', async () => {
  await database.ledger.transaction(async (trx) => {
    await trx.raw('SELECT pg_advisory_xact_lock(?)', [0x11ce460]);
    assert.equal(await deleting(1), 0);
  });
  assert.equal((await daysLeft()).length, new Set(days).size);
  const both = await Promise.all([deleting(1), deleting(1)]);
  assert.equal(both[0] + both[1] > 0, true);
  await deleting(1);
  assert.deepEqual(await daysLeft(), from(monthStart(1)));
});
