import { z } from 'zod';

/** −1 stands for unlimited, in every limit. */
export const UNLIMITED = -1;

/** What a tier sells. `dailyLimit` and `monthlyLimit` count requests in UTC days and months. */
export interface Tier {
  readonly id: string;
  readonly name: string;
  readonly dailyLimit: number;
  readonly monthlyLimit: number;
  readonly maxDevices: number;
  readonly features: readonly string[];
  readonly description: string;
  readonly priceMonthly: number | undefined;
  readonly emailVerificationRequired: boolean;
  readonly selfService: boolean;
  readonly oneLicensePerDevice: boolean;
  readonly hidden: boolean;
  readonly deprecated: boolean;
  readonly migrateTo: string | undefined;
  readonly onCounterOutage: 'deny' | 'allow';
  readonly outageAllowance: number;
  /** Requests have to be signed: docs/signing.md. */
  readonly requireSignature: boolean;
  /** Devices have to bind a key of their own. */
  readonly requireProofOfPossession: boolean;
}

export type Tiers = ReadonlyMap<string, Tier>;

export const limit = z.int().min(UNLIMITED);

/** A tier as it stands in the file; unknown fields are mistakes, since a misspelt limit would be none. */
const tierSchema = z.strictObject({
  name: z.string().min(1),
  daily_limit: limit,
  monthly_limit: limit,
  max_devices: limit,
  features: z.array(z.string()).default([]),
  description: z.string().default(''),
  price_monthly: z.number().nonnegative().optional(),
  email_verification_required: z.boolean().default(true),
  self_service: z.boolean().default(false),
  one_license_per_device: z.boolean().default(false),
  hidden: z.boolean().default(false),
  deprecated: z.boolean().default(false),
  migrate_to: z.string().optional(),
  on_counter_outage: z.enum(['deny', 'allow']).default('deny'),
  outage_allowance: z.int().nonnegative().default(0),
  require_signature: z.boolean().default(false),
  require_proof_of_possession: z.boolean().default(false),
});

export const tiersFileSchema = z.strictObject({
  tiers: z.record(z.string().regex(/^[a-z0-9_-]+$/), tierSchema),
});

/** The tiers of a parsed file, by id. */
export function tiersFrom(file: z.output<typeof tiersFileSchema>): Tiers {
  return new Map(Object.entries(file.tiers).map(([id, fields]) => [id, tierFrom(id, fields)]));
}

function tierFrom(id: string, fields: z.output<typeof tierSchema>): Tier {
  return {
    id,
    name: fields.name,
    dailyLimit: fields.daily_limit,
    monthlyLimit: fields.monthly_limit,
    maxDevices: fields.max_devices,
    features: fields.features,
    description: fields.description,
    priceMonthly: fields.price_monthly,
    emailVerificationRequired: fields.email_verification_required,
    selfService: fields.self_service,
    oneLicensePerDevice: fields.one_license_per_device,
    hidden: fields.hidden,
    deprecated: fields.deprecated,
    migrateTo: fields.migrate_to,
    onCounterOutage: fields.on_counter_outage,
    outageAllowance: fields.outage_allowance,
    requireSignature: fields.require_signature,
    requireProofOfPossession: fields.require_proof_of_possession,
  };
}

/** The tiers of an installation without a tiers file. */
export const builtInTiers: Tiers = tiersFrom(
  tiersFileSchema.parse({
    tiers: {
      free: { name: 'Free', daily_limit: 10, monthly_limit: 100, max_devices: 1, self_service: true },
      pro: { name: 'Pro', daily_limit: 1_000, monthly_limit: 30_000, max_devices: 3 },
      enterprise: { name: 'Enterprise', daily_limit: UNLIMITED, monthly_limit: UNLIMITED, max_devices: 10 },
    },
  }),
);
