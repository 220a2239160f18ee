import type { Knex } from 'knex';

/** How much state there is. */
export interface StateSize {
  readonly licenses: number;
  readonly usageRows: number;
}

/** How many days usage reaches back. Prime to the strides below, so that no row comes twice. */
const DAYS = 365;
/** One license in so many is used every few days, on several models; the others now and then. */
const ONE_BUSY_IN = 20;

/**
 * Fills an empty, migrated database: each license has a device and a key for it; usage is of the last year, in the order
 * of its days as folding leaves it, half of it by a twentieth of the licenses.
 */
export async function fillState(db: Knex, { licenses, usageRows }: StateSize): Promise<void> {
  await db.transaction(async (trx) => {
    await trx.raw(`SET LOCAL work_mem = '512MB'`);
    await fillLicenses(trx, licenses);
    await fillUsage(trx, licenses, usageRows);
  });
  for (const table of ['licenses', 'devices', 'proxy_keys', 'usage']) await db.raw(`VACUUM ANALYZE ${table}`);
}

async function fillLicenses(db: Knex, count: number): Promise<void> {
  await db.raw(
    `INSERT INTO licenses (id, key_hash, key_prefix, email, name, tier, status, expires_at, created_at, updated_at)
     SELECT ${licenseId('i')}, sha256(convert_to('license ' || i, 'UTF8')), 'LIC-ABCDE',
       'customer' || i || '@example.com', 'Customer ' || i,
       CASE WHEN i % 50 = 0 THEN 'enterprise' WHEN i % 5 = 0 THEN 'pro' ELSE 'free' END,
       CASE WHEN i % 200 = 0 THEN 'suspended' WHEN i % 200 = 1 THEN 'revoked' ELSE 'active' END,
       CASE WHEN i % 10 = 0 THEN now() + ((i / 10) % 400 - 40) * interval '1 day' END,
       made.at, made.at
     FROM generate_series(1, :count) AS i,
       LATERAL (SELECT now() - (:count - i) * (interval '2 years' / :count) AS at) AS made`,
    { count },
  );
  await db.raw(
    `INSERT INTO devices (id, license_id, hardware_id, activated_at, last_activated_at)
     SELECT i, ${licenseId('i')}, md5('hardware ' || i), now(), now() FROM generate_series(1, :count) AS i`,
    { count },
  );
  await db.raw(
    `INSERT INTO proxy_keys (key_hash, key_prefix, device_id, created_at)
     SELECT sha256(convert_to('key ' || i, 'UTF8')), 'px_ABCDEF', i, now() FROM generate_series(1, :count) AS i`,
    { count },
  );
  await db.raw(`SELECT setval(pg_get_serial_sequence('devices', 'id'), :count)`, { count });
}

async function fillUsage(db: Knex, licenses: number, rows: number): Promise<void> {
  const half = Math.floor(rows / 2);
  const busy = Math.floor(licenses / ONE_BUSY_IN);
  // 73 and 7 steps through 365 days never meet the same day twice within 5 and 365 rows.
  await db.raw(
    `INSERT INTO usage (license_id, day, device_id, provider, model, requests, refunded)
     SELECT ${licenseId('i')}, (now() AT TIME ZONE 'UTC')::date - day, i, provider, model, 1 + (i + k) % 9, (i + k) % 50 / 49
     FROM (
       SELECT i, k, (i * 7 + k * 73) % ${DAYS} AS day, 'openai' AS provider, 'gpt-4o-mini' AS model
       FROM generate_series(1, :licenses::int) AS i, generate_series(0, :light::int - 1) AS k
       UNION ALL
       SELECT i * ${ONE_BUSY_IN}, k, (i + k * 7) % ${DAYS},
         CASE WHEN k % 2 = 0 THEN 'openai' ELSE 'anthropic' END,
         (ARRAY['gpt-4o', 'claude-sonnet', 'text-embedding-3-small', 'claude-haiku'])[1 + k % 4]
       FROM generate_series(1, :busy::int) AS i, generate_series(0, :heavy::int - 1) AS k
     ) AS rows
     ORDER BY day DESC`,
    { licenses, busy, light: Math.round(half / licenses), heavy: Math.round(half / busy) },
  );
}

/** As random as the real ones, and found again by its number. */
export function licenseId(number: string): string {
  return `'lic_' || left(md5('license ' || ${number}), 24)`;
}
