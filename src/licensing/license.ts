import type { Tier, Tiers } from './tiers.ts';

export type StoredStatus = 'active' | 'suspended' | 'revoked';

/** What a license is at a moment: stored, or past its `expiresAt`. */
export type LicenseStatus = StoredStatus | 'expired';

export interface License {
  /** Public: `lic_…`, what logs and the admin API use. */
  readonly id: string;
  readonly keyPrefix: string;
  readonly email: string;
  readonly name: string;
  readonly tier: string;
  readonly status: StoredStatus;
  readonly expiresAt: Date | undefined;
  /** Overrides of the tier's limits; undefined: the tier decides. */
  readonly dailyLimit: number | undefined;
  readonly monthlyLimit: number | undefined;
  readonly maxActivations: number | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Goes up with each change of the license itself. */
  readonly version: number;
}

/** The limits in force for a license. −1 is unlimited. */
export interface EffectiveLimits {
  readonly daily: number;
  readonly monthly: number;
  readonly devices: number;
  /** How many requests an instance may admit by itself while the counters are away. */
  readonly outageAllowance: number;
  /** A limit that the license leaves to its tier, which the file lacks: nobody knows what was sold. */
  readonly isTierMissing: boolean;
}

/** Why a license may not be used, as an error code; undefined where it may. */
export type LicenseRefusal =
  'invalid_license_key' | 'license_suspended' | 'license_expired' | 'tier_not_configured';

type LimitFields = Pick<License, 'tier' | 'dailyLimit' | 'monthlyLimit' | 'maxActivations'>;

const noTier = {
  dailyLimit: 0,
  monthlyLimit: 0,
  maxDevices: 0,
  onCounterOutage: 'deny',
  outageAllowance: 0,
} as const;

/**
 * A license's own limits before its tier's. A tier that is no longer in the file admits nothing of its own accord:
 * a missing line must not make a license unlimited.
 */
export function effectiveLimits(license: LimitFields, tiers: Tiers): EffectiveLimits {
  const tier: Pick<
    Tier,
    'dailyLimit' | 'monthlyLimit' | 'maxDevices' | 'onCounterOutage' | 'outageAllowance'
  > = tiers.get(license.tier) ?? noTier;
  const { dailyLimit, monthlyLimit, maxActivations } = license;
  return {
    daily: dailyLimit ?? tier.dailyLimit,
    monthly: monthlyLimit ?? tier.monthlyLimit,
    devices: maxActivations ?? tier.maxDevices,
    outageAllowance: tier.onCounterOutage === 'allow' ? tier.outageAllowance : 0,
    isTierMissing: tier === noTier && [dailyLimit, monthlyLimit, maxActivations].includes(undefined),
  };
}

export function statusAt(license: Pick<License, 'status' | 'expiresAt'>, now: number): LicenseStatus {
  if (license.status !== 'active') return license.status;
  return license.expiresAt !== undefined && license.expiresAt.getTime() <= now ? 'expired' : 'active';
}

/** Why a license cannot be used now, or undefined where it can. */
export function refusalAt(license: License, tiers: Tiers, now: number): LicenseRefusal | undefined {
  const refusal = refusalOf(statusAt(license, now));
  if (refusal !== undefined) return refusal;
  return effectiveLimits(license, tiers).isTierMissing ? 'tier_not_configured' : undefined;
}

/** A revoked license is answered like one that never was. */
function refusalOf(status: LicenseStatus): Exclude<LicenseRefusal, 'tier_not_configured'> | undefined {
  switch (status) {
    case 'active':
      return undefined;
    case 'suspended':
      return 'license_suspended';
    case 'expired':
      return 'license_expired';
    case 'revoked':
      return 'invalid_license_key';
  }
}
