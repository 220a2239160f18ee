import type { License, StoredStatus } from './license.ts';

/** A row of `licenses`, as both drivers return it. */
export interface LicenseRow {
  id: string;
  key_hash: Uint8Array;
  key_prefix: string;
  email: string;
  name: string;
  tier: string;
  status: StoredStatus;
  expires_at: Date | null;
  daily_limit: number | null;
  monthly_limit: number | null;
  max_activations: number | null;
  created_at: Date;
  updated_at: Date;
  version: number;
}

export interface DeviceRow {
  id: number;
  license_id: string;
  hardware_id: string;
  activated_at: Date;
  last_activated_at: Date;
  removed_at: Date | null;
}

export interface ProxyKeyRow {
  id: number;
  key_hash: Uint8Array;
  key_prefix: string;
  device_id: number;
  created_at: Date;
  expires_at: Date | null;
  public_key: Uint8Array | null;
}

export function licenseFrom(row: LicenseRow): License {
  return {
    id: row.id,
    keyPrefix: row.key_prefix,
    email: row.email,
    name: row.name,
    tier: row.tier,
    status: row.status,
    expiresAt: row.expires_at ?? undefined,
    dailyLimit: row.daily_limit ?? undefined,
    monthlyLimit: row.monthly_limit ?? undefined,
    maxActivations: row.max_activations ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}
