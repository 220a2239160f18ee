import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Booking } from '../../src/quota/admission.ts';
import { MemoryAdmission } from '../../src/quota/memory-admission.ts';
import { FakeClock } from '../support/fake-clock.ts';

const call = { licenseId: 'lic_1', deviceId: 1, provider: 'openai', model: 'gpt-4o' };
const unlimited = { daily: -1, monthly: -1 };

it('a refund that comes while the new day is being read from the ledger is not lost to the month', async () => {
  const clock = new FakeClock('2026-03-10T23:59:59Z');
  const bookings: Booking[] = [];
  const readings: (() => void)[] = [];
  const source = {
    // As a database answers: what was booked when it was asked, some time later.
    countsOf: async (_licenseId: string, day: number) => {
      const today = bookings.filter((b) => b.day === day).reduce((sum, b) => sum + b.requests, 0);
      const thisMonth = bookings.reduce((sum, b) => sum + b.requests, 0);
      await new Promise<void>((resolve) => readings.push(resolve));
      return { today, thisMonth };
    },
  };
  const admission = new MemoryAdmission({ clock, source, book: (booking) => bookings.push(booking) });

  const first = admission.admit(call, unlimited);
  readings[0]?.();
  const decision = await first;
  assert.equal(decision.outcome, 'admitted');

  clock.set('2026-03-11T00:00:00Z');
  const asked = admission.used(call.licenseId);
  assert.equal(readings.length, 2, 'the new day is being read');
  await admission.settle(decision.ticket, { refund: true });
  readings[1]?.();
  const { today, thisMonth } = await asked;
  assert.deepEqual({ today, thisMonth }, { today: 0, thisMonth: 0 });
});
