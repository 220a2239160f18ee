import type { Knex } from 'knex';
import type { Admission, Booking, CounterSource } from '../../src/quota/admission.ts';
import { isoDay, isoDaysOfMonth, monthOfDay } from '../../src/quota/windows.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import type { Database } from '../../src/stores/database.ts';
import { ledgerCounts, type LedgerChange } from '../../src/usage/ledger.ts';
import type { FakeClock } from './fake-clock.ts';
import { createTestDatabase } from './servers/databases.ts';

/** One installation, as far as counting goes: what the shared suite runs on, whichever form of admission it has. */
export interface AdmissionWorld {
  /** All of them count together; there is one where counting happens in the process. */
  readonly admissions: readonly Admission[];
  readonly clock: FakeClock;
  readonly knex: Knex;
  /** How often the ledger was read for counters that were missing. */
  readonly readings: () => number;
  /** Loses all counters, as a restart does, or a Redis that was wiped; what was counted is in the ledger by then. */
  loseCounters(): Promise<void>;
  /** Fails if anything went wrong in the background. */
  close(): Promise<void>;
}

/** A database of its own, migrated. */
export async function openLedgerDatabase(): Promise<Database> {
  const database = openPostgres((await createTestDatabase()).url);
  await database.migrate();
  return database;
}

/**
 * The ledger as counters are read from it.
 * @param write what has to be written down before it is read
 * @param readings where the count of readings goes on from
 */
export function ledgerSource(
  knex: Knex,
  write: (licenseId: string) => Promise<void>,
  readings = 0,
): CounterSource & { readings: number } {
  return {
    readings,
    async countsOf(licenseId, day) {
      this.readings += 1;
      await write(licenseId);
      const { first, last } = isoDaysOfMonth(monthOfDay(day));
      return ledgerCounts(knex, licenseId, { first, today: isoDay(day), last });
    },
  };
}

export function ledgerChange({ day, ...booking }: Booking): LedgerChange {
  return { ...booking, day: isoDay(day) };
}
