import { z } from 'zod';
import { effectiveLimits, statusAt, type License } from '../../licensing/license.ts';
import type { ChangeOutcome } from '../../licensing/licenses.ts';
import type { Device } from '../../licensing/devices.ts';
import { RefusalError } from '../errors.ts';
import { quoted } from './mount.ts';
import type { AdminParts } from './parts.ts';

const inForce = z.int().meta({ description: 'In force: its own, or else its tier’s; -1 is unlimited' });
const override = z.int().nullable();

export const licenseStatuses = ['active', 'suspended', 'revoked', 'expired'] as const;

/** A license as the admin API shows it. */
export const licenseSchema = z
  .object({
    id: z.string().meta({ example: 'lic_0123456789abcdef01234567' }),
    key_prefix: z.string(),
    email: z.string(),
    name: z.string(),
    tier: z.string(),
    status: z.enum(licenseStatuses),
    expires_at: z.iso.datetime().nullable(),
    daily_limit: inForce,
    monthly_limit: inForce,
    max_activations: inForce,
    overrides: z
      .object({ daily_limit: override, monthly_limit: override, max_activations: override })
      .meta({ description: 'The limits that are its own; null: the tier decides' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    version: z.int().meta({ description: 'Goes up with each change; version 3 has the ETag "v3"' }),
  })
  .meta({ id: 'License' });

export const deviceSchema = z
  .object({
    hardware_id: z.string(),
    activated_at: z.iso.datetime(),
    last_activated_at: z.iso.datetime(),
  })
  .meta({ id: 'Device' });

/** The limits are those in force; `overrides` says which are its own. */
export function licenseJson(
  license: License,
  { clock, tiers }: Pick<AdminParts, 'clock' | 'tiers'>,
): z.input<typeof licenseSchema> {
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
    version: license.version,
  };
}

export function deviceJson(device: Device): z.input<typeof deviceSchema> {
  return {
    hardware_id: device.hardwareId,
    activated_at: device.activatedAt.toISOString(),
    last_activated_at: device.lastActivatedAt.toISOString(),
  };
}

/** The version of a license, as its ETag holds it. */
export function etagOf({ version }: License): string {
  return `v${version}`;
}

/** The versions that an If-Match names; one that no license ever had matches none. */
export function versionsFrom(etags: readonly string[] | undefined): number[] | undefined {
  return etags?.map((etag) => (/^v\d+$/.test(etag) ? Number(etag.slice(1)) : -1));
}

/** @throws RefusalError where there is no such license */
export function required(license: License | undefined, id: string): License {
  if (license === undefined) throw new RefusalError('not_found', { what: `License ${id.slice(0, 100)}` });
  return license;
}

/** The license after a change. @throws RefusalError that says why there was none */
export function changed(outcome: ChangeOutcome, id: string): License {
  if (outcome.done) return outcome.license;
  switch (outcome.why) {
    case 'unknown':
      return required(undefined, id);
    case 'revoked':
      throw new RefusalError('license_revoked');
    case 'changed_since':
      throw new RefusalError('precondition_failed', {
        what: `License ${id}`,
        etag: quoted(etagOf(outcome.license)),
      });
  }
}
