import { after, before, describe } from 'node:test';
import { SuiteKit } from './admission-kit.ts';
import { bookingTests, coldTests } from './admission-suite-ledger.ts';
import { crossingTests, limitTests } from './admission-suite-limits.ts';
import { reportTests } from './admission-suite-reports.ts';
import { calendarTests, refundTests } from './admission-suite-time.ts';
import type { AdmissionWorld } from './admission-world.ts';
import { FakeClock } from './fake-clock.ts';

/**
 * Registers what every form of admission has to guarantee.
 * @param form how the form is called in the test's names
 */
export function admissionSuite(form: string, open: (clock: FakeClock) => Promise<AdmissionWorld>): void {
  describe(form, () => {
    const clock = new FakeClock('2026-03-10T12:00:00Z');
    let world: AdmissionWorld | undefined;
    before(async () => {
      world = await open(clock);
    });
    after(() => world?.close());
    const kit = new SuiteKit(clock, () => {
      if (world === undefined) throw new Error('the world is not open');
      return world;
    });
    limitTests(kit);
    crossingTests(kit);
    refundTests(kit);
    calendarTests(kit);
    coldTests(kit);
    bookingTests(kit);
    reportTests(kit);
  });
}
