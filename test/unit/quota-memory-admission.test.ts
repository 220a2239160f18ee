import assert from 'node:assert/strict';
import { MemoryAdmission } from '../../src/quota/memory-admission.ts';
import { BufferedLedger } from '../../src/usage/buffered-ledger.ts';
import { admissionSuite } from '../support/admission-suite.ts';
import {
  ledgerChange,
  ledgerSource,
  openLedgerDatabase,
  type AdmissionWorld,
} from '../support/admission-world.ts';
import type { FakeClock } from '../support/fake-clock.ts';

admissionSuite('admission that counts in the process', openMemoryWorld);

async function openMemoryWorld(clock: FakeClock): Promise<AdmissionWorld> {
  const database = await openLedgerDatabase();
  const { knex } = database;
  const faults: unknown[] = [];
  const start = (): { admission: MemoryAdmission; ledger: BufferedLedger } => {
    const report = { failed: (error: unknown) => void faults.push(error), succeeded: () => undefined };
    const ledger = new BufferedLedger(knex, report);
    source = ledgerSource(knex, () => ledger.flush(), source?.readings);
    const admission = new MemoryAdmission({ clock, source, book: (b) => ledger.book(ledgerChange(b)) });
    return { admission, ledger };
  };
  let source: ReturnType<typeof ledgerSource> | undefined;
  let process = start();
  return {
    clock,
    knex,
    get admissions() {
      return [process.admission];
    },
    readings: () => source?.readings ?? 0,
    async loseCounters() {
      await process.ledger.close();
      process = start();
    },
    async close() {
      await process.ledger.close();
      await database.close();
      assert.deepEqual(faults, []);
    },
  };
}
