import { createHash, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { openPostgres } from '../../src/stores/postgres.ts';
import { applyToLedger, LedgerChanges } from '../../src/usage/ledger.ts';
import { spreadOf } from '../statistics.ts';
import type { Figure } from '../figures/figure.ts';

const LICENSES = 10_000;
const DAYS = 10;
/** How often a license's row of the day is written: most rows get more than one request. */
const FOLDS_A_DAY = 3;
/** What one fold takes from a stream at most (src/usage/stream-fold.ts). */
const ENTRIES_A_FOLD = 1_000;

/** What licenses and their usage take in PostgreSQL, written as the gateway writes it. */
export async function ledgerFigures(url: string): Promise<Figure[]> {
  const database = openPostgres(url);
  try {
    await database.migrate();
    const { ledger: db } = database;
    console.error(`PostgreSQL: ${LICENSES} licenses, ${DAYS} days of ${FOLDS_A_DAY} folds each`);
    const licenses = await fillLicenses(db);
    const perSecond = await fillUsage(db, licenses);
    await db.raw('VACUUM ANALYZE');
    const of = async (table: string, rows: number): Promise<number> => (await totalBytes(db, table)) / rows;
    const usageRows = LICENSES * DAYS;
    const heap = await heapBytes(db, 'usage');
    return [
      {
        what: 'PostgreSQL: a license, indexes included',
        unit: 'B',
        value: spreadOf([await of('licenses', LICENSES)]),
      },
      { what: 'PostgreSQL: a device', unit: 'B', value: spreadOf([await of('devices', LICENSES)]) },
      { what: 'PostgreSQL: a proxy key', unit: 'B', value: spreadOf([await of('proxy_keys', LICENSES)]) },
      {
        what: 'PostgreSQL: a usage row, index included',
        unit: 'B',
        value: spreadOf([await of('usage', usageRows)]),
      },
      { what: 'PostgreSQL: the same without its index', unit: 'B', value: spreadOf([heap / usageRows]) },
      {
        what: 'PostgreSQL: usage rows folded a second, one connection',
        unit: '/s',
        value: spreadOf(perSecond),
      },
    ];
  } finally {
    await database.knex.raw('TRUNCATE licenses, devices, proxy_keys, usage CASCADE').catch(() => undefined);
    await database.close();
  }
}

async function fillLicenses(db: Knex): Promise<string[]> {
  const now = new Date();
  const hash = (): Buffer => createHash('sha256').update(randomBytes(16)).digest();
  const ids = Array.from({ length: LICENSES }, () => `lic_${randomBytes(12).toString('hex')}`);
  const chunks = Array.from({ length: LICENSES / 1_000 }, (_, index) =>
    ids.slice(index * 1_000, (index + 1) * 1_000),
  );
  for (const chunk of chunks) {
    await db('licenses').insert(
      chunk.map((id) => ({
        ...{ id, key_hash: hash(), key_prefix: 'LIC-ABCDE', tier: 'pro', name: 'Ada Lovelace' },
        ...{ email: `${id.slice(4, 14)}@example.com`, created_at: now, updated_at: now },
      })),
    );
    const devices = await db('devices')
      .insert(
        chunk.map((id) => ({
          ...{ license_id: id, hardware_id: randomBytes(16).toString('hex') },
          ...{ activated_at: now, last_activated_at: now },
        })),
      )
      .returning<{ id: number }[]>('id');
    await db('proxy_keys').insert(
      devices.map(({ id }) => ({
        key_hash: hash(),
        key_prefix: 'px_ABCDEF',
        device_id: id,
        created_at: now,
      })),
    );
  }
  return ids;
}

/** Returns how many rows a second each day's folds wrote. */
async function fillUsage(db: Knex, licenses: readonly string[]): Promise<number[]> {
  const perSecond: number[] = [];
  for (let day = 1; day <= DAYS; day += 1) {
    let seconds = 0;
    for (let fold = 0; fold < FOLDS_A_DAY; fold += 1) {
      const order = licenses
        .map((id, index) => ({ id, index, at: Math.random() }))
        .sort((a, b) => a.at - b.at);
      for (let from = 0; from < order.length; from += ENTRIES_A_FOLD) {
        const changes = new LedgerChanges();
        for (const { id, index } of order.slice(from, from + ENTRIES_A_FOLD)) {
          const booking = { licenseId: id, deviceId: index + 1, provider: 'openai', model: 'gpt-4o-mini' };
          changes.add({
            ...booking,
            day: `2026-11-${String(day).padStart(2, '0')}`,
            requests: 1,
            refunded: 0,
          });
        }
        const began = performance.now();
        await db.transaction((trx) => applyToLedger(trx, changes));
        seconds += (performance.now() - began) / 1_000;
      }
    }
    perSecond.push((LICENSES * FOLDS_A_DAY) / seconds);
    // Autovacuum would do so within a minute, and so reuse what the updates of a day left behind.
    await db.raw('VACUUM usage');
  }
  return perSecond;
}

async function totalBytes(db: Knex, table: string): Promise<number> {
  return sizeBy(db, 'pg_total_relation_size', table);
}

async function heapBytes(db: Knex, table: string): Promise<number> {
  return sizeBy(db, 'pg_relation_size', table);
}

async function sizeBy(db: Knex, measure: string, table: string): Promise<number> {
  const row = await db.first<{ bytes: number }>(db.raw(`${measure}(?::regclass) AS bytes`, [table]));
  return row.bytes;
}
