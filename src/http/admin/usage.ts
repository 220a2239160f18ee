import { z } from 'zod';
import { DAY_MS, dayOf, isoDay } from '../../quota/windows.ts';
import {
  groupsOf,
  usageGroups,
  usageReport,
  type UsageGroup,
  type UsageSums,
} from '../../usage/usage-report.ts';
import { RefusalError } from '../errors.ts';
import { cursorKind, paged, pageLimit, pageOf } from './cursor.ts';
import { required } from './license-json.ts';
import { reply, route, type AdminRoute } from './route.ts';

/** More at once would be a question for a data warehouse. Days. */
const MAX_DAYS = 366;

/** The groups of the last row that was shown, by the groups of the report. */
const usageCursor = cursorKind(
  'usage',
  z.object({ by: z.string().max(100), after: z.array(z.string()).max(usageGroups.length) }),
);

const day = z.iso.date('must be a UTC day such as 2026-11-22');

const groupBy = z
  .string()
  .default('day')
  .transform((text, context): UsageGroup[] => {
    const names = text.split(',').map((name) => name.trim());
    const unknown = names.find((name) => !usageGroups.includes(name as UsageGroup));
    if (unknown === undefined) return groupsOf(names as UsageGroup[]);
    const message = `there is no ${JSON.stringify(unknown)}; there are ${usageGroups.join(', ')}, separated by commas`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({ description: `Of ${usageGroups.join(', ')}, separated by commas`, example: 'day,license' });

const usageQuery = z.strictObject({
  from: day.optional().meta({ description: 'The first UTC day; by default the first of the month of `to`' }),
  to: day.optional().meta({ description: 'The last UTC day, included; by default today' }),
  license: z.string().max(200).optional(),
  provider: z.string().max(100).optional(),
  model: z.string().max(300).optional(),
  group_by: groupBy,
  limit: pageLimit,
  cursor: usageCursor.schema.optional(),
});

const usageRow = z
  .object({
    day: z.iso.date().optional(),
    license: z.string().optional(),
    provider: z.string().optional(),
    model: z.string().optional().meta({ description: "'' where requests named none" }),
    requests: z.int().meta({ description: 'What counts against the limits, refunds taken off' }),
    refunded: z.int().meta({ description: 'What was given back, since the provider failed' }),
  })
  .meta({ id: 'UsageRow', description: 'The keys that were grouped by, and their sums' });

const listUsage = route({
  method: 'get',
  path: '/usage',
  name: 'listUsage',
  summary: 'What was used, summed by day, license, provider or model',
  description: 'Sorted by its keys. What was admitted is in it within 2 seconds.',
  tag: 'usage',
  role: 'read',
  query: usageQuery,
  answers: { 200: { description: 'A page of sums', schema: pageOf(usageRow) } },
  errors: ['not_found'],
  async handle({ query }, { db, clock, licenses }) {
    const { group_by: groups, limit, cursor, from, to, ...filter } = query;
    const days = daysOf({ from, to }, clock.now());
    const by = groups.join(',');
    if (cursor !== undefined && (cursor.by !== by || cursor.after.length !== groups.length)) {
      throw wrong('cursor: is of a list with another group_by: begin without one');
    }
    if (filter.license !== undefined) required(await licenses.find(filter.license), filter.license);
    const after = cursor?.after;
    const rows = await usageReport(db, { ...filter, ...days, groupBy: groups, limit: limit + 1, after });
    const { page, nextCursor } = paged(rows, limit, usageCursor, (row) => positionOf(row, groups));
    return reply(200, { data: page, next_cursor: nextCursor });
  },
});

function positionOf(row: UsageSums, groups: readonly UsageGroup[]): { by: string; after: string[] } {
  return { by: groups.join(','), after: groups.map((group) => row[group] ?? '') };
}

/** @throws RefusalError where the days are none that a report can be made of */
function daysOf(
  { from, to = '' }: { from: string | undefined; to: string | undefined },
  now: number,
): { from: string; to: string } {
  const last = to === '' ? isoDay(dayOf(now)) : to;
  const first = from ?? `${last.slice(0, 8)}01`;
  const days = (Date.parse(last) - Date.parse(first)) / DAY_MS + 1;
  if (days < 1) throw wrong(`from: ${first} lies behind to, which is ${last}`);
  if (days > MAX_DAYS) throw wrong(`from: ${MAX_DAYS} days at most can be asked for at once, not ${days}`);
  return { from: first, to: last };
}

function wrong(problem: string): RefusalError {
  return new RefusalError('invalid_request', { problem });
}

export const usageRoutes: AdminRoute[] = [listUsage];
