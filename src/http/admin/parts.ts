import type { Clock } from '../../clock.ts';
import type { Devices } from '../../licensing/devices.ts';
import { effectiveLimits, statusAt, type License } from '../../licensing/license.ts';
import type { Licenses } from '../../licensing/licenses.ts';
import type { Tiers } from '../../licensing/tiers.ts';
import type { Admission } from '../../quota/admission.ts';
import { RefusalError } from '../errors.ts';

export interface AdminParts {
  clock: Clock;
  licenses: Licenses;
  devices: Devices;
  admission: Admission;
  tiers: () => Tiers;
}

/** A license as the admin API shows it. The limits are those in force; `overrides` says which are its own. */
export function licenseJson(license: License, { clock, tiers }: Pick<AdminParts, 'clock' | 'tiers'>): object {
  const limits = effectiveLimits(license, tiers());
  return {
    id: license.id,
    key_prefix: license.keyPrefix,
    email: license.email,
    name: license.name,
    tier: license.tier,
    status: statusAt(license, clock.now()),
    expires_at: license.expiresAt?.toISOString() ?? null,
    daily_limit: limits.daily,
    monthly_limit: limits.monthly,
    max_activations: limits.devices,
    overrides: {
      daily_limit: license.dailyLimit ?? null,
      monthly_limit: license.monthlyLimit ?? null,
      max_activations: license.maxActivations ?? null,
    },
    created_at: license.createdAt.toISOString(),
    updated_at: license.updatedAt.toISOString(),
  };
}

/** @throws RefusalError where there is no such license */
export function required(license: License | undefined, id: string): License {
  if (license === undefined) throw new RefusalError('not_found', { what: `License ${id.slice(0, 100)}` });
  return license;
}
