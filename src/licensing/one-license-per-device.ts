import type { Knex } from 'knex';
import type { License } from './license.ts';

/**
 * Whether a device is active on another license of the same tier (`one_license_per_device`). Licenses that are revoked
 * or past their time hold no device; a suspended one does, or suspending would only cost a new sign-up.
 *
 * Until the caller's transaction ends nobody else gets an answer for this device and tier: of fifty licenses that want
 * it at once, one gets it.
 */
export async function isOnAnotherLicense(
  db: Knex,
  { id, tier }: Pick<License, 'id' | 'tier'>,
  hardwareId: string,
  now: Date,
): Promise<boolean> {
  // Always behind the lock of the license's row, and nobody who holds this one waits for another: no deadlock.
  await db.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`device ${tier} ${hardwareId}`]);
  const other = await db('devices')
    .join('licenses', 'licenses.id', 'devices.license_id')
    .where({ 'devices.hardware_id': hardwareId, 'licenses.tier': tier })
    .whereNot('licenses.id', id)
    .whereNull('devices.removed_at')
    .whereNot('licenses.status', 'revoked')
    .where((either) => void either.whereNull('licenses.expires_at').orWhere('licenses.expires_at', '>', now))
    .first<{ id: number } | undefined>('devices.id');
  return other !== undefined;
}
