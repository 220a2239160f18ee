import type { Knex } from 'knex';

export interface UsageSum {
  day: string;
  provider: string;
  model: string;
  requests: number;
  refunded: number;
}

/** What the rows of all licenses come to, and what the sums that are kept of them say. */
export async function sumsOf(db: Knex): Promise<{ rows: UsageSum[]; totals: UsageSum[] }> {
  const sums = (table: string): Promise<UsageSum[]> =>
    db(table)
      .groupBy('day', 'provider', 'model')
      .havingRaw('sum(requests) <> 0 OR sum(refunded) <> 0')
      .orderBy(['day', 'provider', 'model'])
      .select<UsageSum[]>(
        'day',
        'provider',
        'model',
        db.raw('sum(requests)::int8 AS requests'),
        db.raw('sum(refunded)::int8 AS refunded'),
      );
  return { rows: await sums('usage'), totals: await sums('usage_totals') };
}
