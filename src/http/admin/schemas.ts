import { z } from 'zod';
import { UNLIMITED } from '../../licensing/tiers.ts';
import { cursorKind, pageLimit } from './cursor.ts';
import { licenseStatuses } from './license-json.ts';

/** The largest integer that a column for it holds: counts are bigints, but what a client sends is a double. */
const quota = z.int().min(UNLIMITED);
const devices = z.int().min(UNLIMITED).max(2_147_483_647);

const email = z.email().max(254);
export const printableName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'must be printable characters');
const tier = z.string().min(1).max(100);

/** A moment, with its zone. */
export const moment = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2027-01-31T00:00:00Z' })
  .transform((text) => new Date(text));

const dayOrTime = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: 'must be a UTC day (2027-01-31) or a time (2027-01-31T12:00:00Z)',
});

/** Where a span of time begins: a day stands for its beginning in UTC. */
export const firstMoment = dayOrTime.transform((text) => new Date(text));

/** Where it ends, itself not included: a day stands for the beginning of the next. */
export const lastMoment = dayOrTime.transform((text) => {
  const time = new Date(text);
  return text.length > 10 ? time : new Date(time.getTime() + 86_400_000);
});

/** A position in a list that is newest first. */
export function createdCursor(kind: string) {
  return cursorKind(kind, z.object({ createdAt: z.coerce.date(), id: z.string().regex(/^\w{1,60}$/) }));
}

export const licenseCursor = createdCursor('license');

export const licenseId = z.object({
  id: z.string().meta({ description: 'lic_…', example: 'lic_0123456789abcdef01234567' }),
});

/** Unknown fields are mistakes here: a license with a misspelt limit or expiry would be sold without it. */
export const newLicense = z.strictObject({
  email,
  name: printableName,
  tier,
  expires_at: moment.nullish(),
  daily_limit: quota.nullish(),
  monthly_limit: quota.nullish(),
  max_activations: devices.nullish(),
});

/** null takes an override, or the expiry, away. Unknown fields are mistakes here too: a misspelt limit would change nothing. */
export const licenseChange = z
  .strictObject({
    email,
    name: printableName,
    tier,
    expires_at: moment.nullable(),
    daily_limit: quota.nullable(),
    monthly_limit: quota.nullable(),
    max_activations: devices.nullable(),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'The body names nothing to change')
  .meta({ minProperties: 1 });

/** Unknown names are mistakes in queries: a misspelt filter would find everything. */
export const licenseQuery = z.strictObject({
  tier: z.string().max(100).optional(),
  status: z.enum(licenseStatuses).optional(),
  email: z.string().max(254).optional(),
  expires_before: moment.optional(),
  limit: pageLimit,
  cursor: licenseCursor.schema.optional(),
});
