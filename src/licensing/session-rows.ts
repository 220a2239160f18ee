import type { Knex } from 'knex';
import type { LicenseRow } from './license-rows.ts';
import type { License } from './license.ts';
import { deviceKey, type DeviceKey } from './proofs/device-key.ts';

/** What a proxy key stands for. */
export interface Session {
  /** The key's hash as text: what it is cached under. */
  readonly keyHash: string;
  readonly keyExpiresAt: number;
  readonly deviceId: number;
  readonly hardwareId: string;
  /** Bound to the proxy key: requests have to be signed with the other half of it. */
  readonly deviceKey: DeviceKey | undefined;
  readonly license: Pick<
    License,
    'id' | 'tier' | 'status' | 'expiresAt' | 'dailyLimit' | 'monthlyLimit' | 'maxActivations'
  >;
}

type SessionRow = Omit<
  LicenseRow,
  'key_hash' | 'key_prefix' | 'email' | 'name' | 'created_at' | 'updated_at' | 'version'
> & {
  device_id: number;
  hardware_id: string;
  key_expires_at: Date | null;
  public_key: Uint8Array | null;
};

/** Reads what a key stands for; undefined where there is no such key, or its device was removed. */
export async function readSession(db: Knex, keyHash: string): Promise<Session | undefined> {
  const row = await db('proxy_keys')
    .join('devices', 'devices.id', 'proxy_keys.device_id')
    .join('licenses', 'licenses.id', 'devices.license_id')
    .where('proxy_keys.key_hash', Buffer.from(keyHash, 'base64'))
    .whereNull('devices.removed_at')
    .first<SessionRow | undefined>(
      'licenses.id', 'licenses.tier', 'licenses.status', 'licenses.expires_at', 'licenses.daily_limit',
      'licenses.monthly_limit', 'licenses.max_activations', 'devices.hardware_id', 'proxy_keys.public_key',
      { device_id: 'devices.id', key_expires_at: 'proxy_keys.expires_at' },
    ); // prettier-ignore
  return row && sessionFrom(keyHash, row);
}

function sessionFrom(keyHash: string, row: SessionRow): Session {
  return {
    keyHash,
    keyExpiresAt: row.key_expires_at?.getTime() ?? Infinity,
    deviceId: row.device_id,
    hardwareId: row.hardware_id,
    deviceKey: row.public_key === null ? undefined : deviceKey(row.public_key),
    license: {
      id: row.id,
      tier: row.tier,
      status: row.status,
      expiresAt: row.expires_at ?? undefined,
      dailyLimit: row.daily_limit ?? undefined,
      monthlyLimit: row.monthly_limit ?? undefined,
      maxActivations: row.max_activations ?? undefined,
    },
  };
}
