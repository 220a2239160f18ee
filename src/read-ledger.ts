import type { Knex } from 'knex';
import { isoDay, isoDaysOfMonth, monthOfDay } from './quota/windows.ts';
import { ledgerCounts } from './usage/ledger.ts';

/**
 * What the ledger holds of a license on a UTC day and in its month.
 * @param day days since 1970-01-01
 * @param source whose offset is read at the same moment
 */
export function readLedger(
  knex: Knex,
  licenseId: string,
  day: number,
  source?: string,
): ReturnType<typeof ledgerCounts> {
  const { first, last } = isoDaysOfMonth(monthOfDay(day));
  return ledgerCounts(knex, licenseId, { first, today: isoDay(day), last }, source);
}
