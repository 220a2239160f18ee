import { isoDay } from '../../src/quota/windows.ts';
import { eventually } from './eventually.ts';
import type { TestGateway } from './gateway.ts';

/** What the three who know say about a license's requests of today. */
export interface AtRest {
  redis: number;
  ledger: number;
  /** Chat completions that the provider received. */
  provider: number;
}

/** What the counters, the ledger and the provider say at this moment. */
export async function countsOf(gateway: TestGateway, licenseId: string): Promise<AtRest> {
  const { today, day } = await gateway.gateway.admission.used(licenseId);
  const [row] = await gateway.gateway
    .knex('usage')
    .where({ license_id: licenseId, day: isoDay(day) })
    .select<{ sum: number | null }[]>(gateway.gateway.knex.raw('sum(requests)::int8 as sum'));
  return { redis: today, ledger: row?.sum ?? 0, provider: gateway.simulator.requests.length };
}

/**
 * Waits until counters and ledger agree with a number of requests, which is what contract §7.3 gives them two seconds
 * for; the time that they took is for the figures.
 */
export async function agreeOn(
  gateway: TestGateway,
  licenseId: string,
  requests: number,
  withinMs = 10_000,
): Promise<AtRest & { afterMs: number }> {
  const began = performance.now();
  return await eventually(async () => {
    const counts = await countsOf(gateway, licenseId);
    if (counts.redis !== requests || counts.ledger !== requests) {
      throw new Error(`expected ${requests} everywhere, found ${JSON.stringify(counts)}`);
    }
    return { ...counts, afterMs: Math.round(performance.now() - began) };
  }, withinMs);
}
