import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.ts';
import { figure } from '../figures.ts';
import type { World } from '../world.ts';

/** The contract's 2 seconds have a test of their own; this machine may be busy. Milliseconds. */
const PATIENCE = 20_000;

/** What the three that count say of a license. */
export interface Accounts {
  provider: number;
  redis: number;
  ledger: number;
}

/** Waits until Redis and the ledger agree, as they do at rest. @throws if they do not come to */
export async function accountsOf({ stack, customers }: World, licenseId: string): Promise<Accounts> {
  return await eventually(async () => {
    const [seen, used, ledger] = await Promise.all([
      stack.seen(),
      customers.used(licenseId),
      stack.booked(licenseId),
    ]);
    const accounts = { provider: seen.requests[licenseId] ?? 0, redis: used.today, ledger };
    assert.equal(ledger, used.today, `Redis and the ledger disagree: ${JSON.stringify(accounts)}`);
    return accounts;
  }, PATIENCE);
}

/** Asserts that all three counted exactly what the clients were served. */
export async function assertExact(world: World, licenseId: string, served: number): Promise<void> {
  const accounts = await accountsOf(world, licenseId);
  const { provider, redis, ledger } = accounts;
  figure('clients = provider = Redis = ledger', [served, provider, redis, ledger].join(' = '));
  assert.deepEqual(accounts, { provider: served, redis: served, ledger: served });
}
