import { z } from 'zod';
import { effectiveLimits, type License } from '../../licensing/license.ts';
import { countByTier } from '../../licensing/tiers-in-force.ts';
import { RefusalError } from '../errors.ts';
import { cursorKind, paged, pageLimit, pageOf } from './cursor.ts';
import { requireTier } from './licenses.ts';
import type { AdminParts } from './parts.ts';
import { reply, route, type AdminRoute } from './route.ts';

const tag = 'tiers';
const EXAMPLES = 5;

const tierSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    daily_limit: z.int(),
    monthly_limit: z.int(),
    max_devices: z.int(),
    self_service: z.boolean(),
    email_verification_required: z.boolean(),
    one_license_per_device: z.boolean(),
    hidden: z.boolean(),
    deprecated: z.boolean(),
    migrate_to: z.string().nullable(),
    licenses: z.int().meta({ description: 'That have it and are not revoked' }),
  })
  .meta({ id: 'Tier' });

/** The tier behind which the next page begins. */
const tierCursor = cursorKind('tiers', z.string());

const listTiers = route({
  method: 'get',
  path: '/tiers',
  name: 'listTiers',
  summary:
    'List all tiers of this instance, hidden and deprecated ones too, with how many licenses have each',
  tag,
  role: 'read',
  query: z.strictObject({ limit: pageLimit, cursor: tierCursor.schema.optional() }),
  answers: { 200: { description: 'A page of tiers, by their ids', schema: pageOf(tierSchema) } },
  async handle({ query: { limit, cursor = '' } }, { db, tiers }) {
    const counts = await countByTier(db);
    const rest = [...tiers().values()].filter(({ id }) => id > cursor).sort((a, b) => (a.id < b.id ? -1 : 1));
    const { page, nextCursor } = paged(rest, limit, tierCursor, ({ id }) => id);
    const data = page.map((tier) => ({
      id: tier.id,
      name: tier.name,
      daily_limit: tier.dailyLimit,
      monthly_limit: tier.monthlyLimit,
      max_devices: tier.maxDevices,
      self_service: tier.selfService,
      email_verification_required: tier.emailVerificationRequired,
      one_license_per_device: tier.oneLicensePerDevice,
      hidden: tier.hidden,
      deprecated: tier.deprecated,
      migrate_to: tier.migrateTo ?? null,
      licenses: counts.get(tier.id)?.open ?? 0,
    }));
    return reply(200, { data, next_cursor: nextCursor });
  },
});

const limitsSchema = z.object({ daily_limit: z.int(), monthly_limit: z.int(), max_activations: z.int() });
const migrationSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    dry_run: z.boolean(),
    licenses: z.int().meta({ description: 'Moved, or in a dry run to be moved; revoked ones stay' }),
    examples: z.array(z.object({ license: z.string(), before: limitsSchema, after: limitsSchema })).meta({
      description: `Limits in force of the first ${EXAMPLES}, overrides included, before and after`,
    }),
  })
  .meta({ id: 'TierMigration' });

const migrateTier = route({
  method: 'post',
  path: '/tiers/:from/migrate',
  name: 'migrateTier',
  summary: 'Move the licenses of a tier to another one; their own limits, expiry and status stay',
  tag,
  role: 'admin',
  params: z.object({ from: z.string().max(100) }),
  body: z.strictObject({
    to: z.string().min(1).max(100).optional().meta({ description: "Default: the tier's migrate_to" }),
    dry_run: z.boolean().meta({ description: 'true: only say what would change' }),
  }),
  answers: { 200: { description: 'What was moved, or would be', schema: migrationSchema } },
  errors: ['not_found'],
  async handle({ params: { from }, body, by }, parts) {
    const { count, examples } = await parts.tierMigration.preview(from, EXAMPLES);
    if (!parts.tiers().has(from) && count === 0)
      throw new RefusalError('not_found', { what: `Tier ${from}` });
    const to = targetOf(parts, from, body.to);
    const shown = examples.map((license) => ({
      license: license.id,
      before: limitsOf(license, parts),
      after: limitsOf({ ...license, tier: to }, parts),
    }));
    const licenses = body.dry_run ? count : await parts.tierMigration.move(from, to, by);
    return reply(200, { from, to, dry_run: body.dry_run, licenses, examples: shown });
  },
});

function targetOf(parts: AdminParts, from: string, named: string | undefined): string {
  const to = named ?? parts.tiers().get(from)?.migrateTo;
  if (to === undefined) {
    throw new RefusalError('invalid_request', {
      problem: `to: the tier "${from}" names no migrate_to: name one`,
    });
  }
  if (to === from) throw new RefusalError('invalid_request', { problem: 'to: must be another tier' });
  requireTier(parts, to);
  return to;
}

function limitsOf(license: License, { tiers }: AdminParts): z.input<typeof limitsSchema> {
  const { daily, monthly, devices } = effectiveLimits(license, tiers());
  return { daily_limit: daily, monthly_limit: monthly, max_activations: devices };
}

/** What tiers there are, and moving licenses off one. */
export const tierRoutes: AdminRoute[] = [listTiers, migrateTier];
