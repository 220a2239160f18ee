import { z } from 'zod';
import { UNLIMITED } from '../../licensing/tiers.ts';

/** The largest integer that a column for it holds: counts are bigints, but what a client sends is a double. */
const quota = z.int().min(UNLIMITED);
const devices = z.int().min(UNLIMITED).max(2_147_483_647);

const email = z.email().max(254);
const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'must be printable characters');
const tier = z.string().min(1).max(100);
const expiry = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2027-01-31T00:00:00Z' })
  .transform((text) => new Date(text));

export const newLicense = z.object({
  email,
  name,
  tier,
  expires_at: expiry.nullish(),
  daily_limit: quota.nullish(),
  monthly_limit: quota.nullish(),
  max_activations: devices.nullish(),
});

/** null takes an override, or the expiry, away. Unknown fields are mistakes here: a misspelt limit would change nothing. */
export const licenseChange = z
  .strictObject({
    email,
    name,
    tier,
    expires_at: expiry.nullable(),
    daily_limit: quota.nullable(),
    monthly_limit: quota.nullable(),
    max_activations: devices.nullable(),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'The body names nothing to change');

export const licenseQuery = z.object({
  tier: z.string().optional(),
  status: z.enum(['active', 'suspended', 'revoked', 'expired']).optional(),
  email: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(100).optional(),
});
