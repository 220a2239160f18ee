import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { eventually } from './eventually.ts';

/** A row of the ledger, or what a test says of it. */
export interface UsageRow {
  device: number;
  provider: string;
  model: string;
  day: string;
  requests: number;
  refunded: number;
}

/** What was admitted is in the ledger within this time (contract §7.3). Milliseconds. */
export const LEDGER_DEADLINE = 2_000;

/** The rows of a license that say anything, in order. */
export async function readUsage(knex: Knex, licenseId: string): Promise<UsageRow[]> {
  const rows = await knex('usage')
    .where({ license_id: licenseId })
    .orderBy(['day', 'device_id', 'provider', 'model'])
    .select<UsageRow[]>({ device: 'device_id' }, 'provider', 'model', 'day', 'requests', 'refunded');
  return rows.filter(({ requests, refunded }) => requests !== 0 || refunded !== 0);
}

/** Waits for the ledger of a license to say exactly this, within the contract's time; only given fields are compared. */
export async function usageOf(
  knex: Knex,
  { licenseId }: { licenseId: string },
  expected: Partial<UsageRow>[],
): Promise<void> {
  const fields = Object.keys(expected[0] ?? {}) as (keyof UsageRow)[];
  await eventually(async () => {
    const rows = await readUsage(knex, licenseId);
    const shown = rows.map((row) => Object.fromEntries(fields.map((field) => [field, row[field]])));
    assert.deepEqual(shown, expected);
  }, LEDGER_DEADLINE);
}
