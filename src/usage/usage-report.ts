import type { Knex } from 'knex';

/** What usage can be summed by, in the order in which rows are sorted. */
export const usageGroups = ['day', 'license', 'provider', 'model'] as const;
export type UsageGroup = (typeof usageGroups)[number];

const columns = { day: 'day', license: 'license_id', provider: 'provider', model: 'model' } as const;

export interface UsageQuery {
  /** UTC days, `2026-11-22`, both included. */
  from: string;
  to: string;
  groupBy: readonly UsageGroup[];
  license?: string | undefined;
  provider?: string | undefined;
  model?: string | undefined;
  limit: number;
  /** The groups of the last row that is known already, in the order of `usageGroups`. */
  after?: readonly string[] | undefined;
}

/** Sums of one group; of its keys, those that were asked for. */
export type UsageSums = Partial<Record<UsageGroup, string>> & {
  /** What counts against the limits, refunds taken off. */
  requests: number;
  refunded: number;
};

/**
 * Where the sums are to be found: those over all licenses are kept ready, 30 days of them in some thousand rows; a
 * license has few rows of its own.
 */
function tableFor({ license }: UsageQuery, groups: readonly UsageGroup[]): 'usage' | 'usage_totals' {
  return license === undefined && !groups.includes('license') ? 'usage_totals' : 'usage';
}

/**
 * Sums of the ledger, sorted by their groups. Groups that nothing is left of (given back under one model and booked under
 * another) are left out.
 */
export async function usageReport(db: Knex, query: UsageQuery): Promise<UsageSums[]> {
  const { from, to, limit, after } = query;
  const groups = groupsOf(query.groupBy);
  const names = groups.map((group) => columns[group]);
  const sums = db(tableFor(query, groups))
    .whereBetween('day', [from, to])
    .groupBy(names)
    .havingRaw('(sum(requests) <> 0 OR sum(refunded) <> 0)')
    .orderBy(names)
    .limit(limit)
    .select(Object.fromEntries(groups.map((group) => [group, columns[group]])))
    .select(db.raw('sum(requests)::int8 AS requests'), db.raw('sum(refunded)::int8 AS refunded'));
  for (const filter of ['license', 'provider', 'model'] as const) {
    if (query[filter] !== undefined) void sums.where(columns[filter], query[filter]);
  }
  if (after !== undefined) {
    const marks = names.map((name) => (name === 'day' ? '?::date' : '?')).join(', ');
    void sums.whereRaw(`(${names.join(', ')}) > (${marks})`, [...after]);
  }
  return (await sums) as UsageSums[];
}

/** The groups asked for, each once and in their order. */
export function groupsOf(groupBy: readonly UsageGroup[]): UsageGroup[] {
  return usageGroups.filter((group) => groupBy.includes(group));
}
