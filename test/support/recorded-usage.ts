import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import type { TestGateway } from './gateway.ts';
import { readUsage, type UsageRow } from './usage-rows.ts';

/** The contract's 2 seconds have a test of their own; this only waits. Milliseconds. */
const PATIENCE = 15_000;

/** Asserts that a license's usage comes to be recorded like this, and that the counters agree with it. */
export async function assertUsage(
  { gateway }: TestGateway,
  licenseId: string,
  expected: readonly Omit<UsageRow, 'device'>[],
): Promise<void> {
  await eventually(async () => {
    const rows = await readUsage(gateway.knex, licenseId);
    const shown = rows.map(({ day, provider, model, requests, refunded }) => ({
      day,
      provider,
      model,
      requests,
      refunded,
    }));
    assert.deepEqual(shown, expected);
  }, PATIENCE);
  const { today } = await gateway.admission.used(licenseId);
  const booked = expected.reduce((sum, { requests }) => sum + requests, 0);
  assert.equal(today, booked, 'the counter and the ledger disagree');
}

/** Waits until something holds. @throws what `check` throws, if it still does in the end */
export function waitUntil<T>(check: () => T | Promise<T>): Promise<T> {
  return eventually(check, PATIENCE);
}
