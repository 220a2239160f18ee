import type { Knex } from 'knex';
import { applyToLedger, LedgerChanges } from '../../src/usage/ledger.ts';

/** What one fold takes from a stream at most (src/usage/stream-fold.ts). */
const ENTRIES_A_FOLD = 1_000;

/** Folds a thousand requests of as many licenses, half of which have a row of the day already. Milliseconds each. */
export async function timeFolds(db: Knex, licenses: readonly string[], folds: number): Promise<number[]> {
  const times: number[] = [];
  const day = new Date().toISOString().slice(0, 10);
  for (let fold = 0; fold < folds; fold += 1) {
    const changes = new LedgerChanges();
    for (let entry = 0; entry < ENTRIES_A_FOLD; entry += 1) {
      const licenseId = licenses[(fold * 500 + entry) % licenses.length] ?? '';
      const booking = { licenseId, deviceId: 1, provider: 'openai', model: `gpt-bench-${entry % 8}`, day };
      changes.add({ ...booking, requests: 1, refunded: 0 });
    }
    const began = performance.now();
    await db.transaction((trx) => applyToLedger(trx, changes));
    times.push(performance.now() - began);
  }
  return times;
}
