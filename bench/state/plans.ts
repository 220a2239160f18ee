import type { Knex } from 'knex';
import { systemClock } from '../../src/clock.ts';
import { LocalChanges } from '../../src/licensing/changes.ts';
import { Licenses } from '../../src/licensing/licenses.ts';
import { readSession } from '../../src/licensing/session-rows.ts';
import { ledgerCounts } from '../../src/usage/ledger.ts';
import { usageReport } from '../../src/usage/usage-report.ts';

const LARGE = ['licenses', 'devices', 'proxy_keys', 'usage'];

/** A query of the product, and how PostgreSQL goes about it. */
export interface Plan {
  readonly sql: string;
  /** Large tables that it reads from one end to the other. */
  readonly scanned: string[];
}

/** The plans of all that a request, a client or an administrator can make the gateway ask. */
export async function plansOf(db: Knex): Promise<Plan[]> {
  const queries: { sql: string; bindings: readonly unknown[] }[] = [];
  const note = (query: { sql: string; bindings: readonly unknown[] }): void => void queries.push(query);
  db.on('query', note);
  await askEverything(db);
  db.removeListener('query', note);
  const plans = new Map<string, Plan>();
  for (const { sql, bindings } of queries) {
    // As it was sent, with its parameters' values: `?` would mean something to knex.
    const text = sql.replaceAll(/\$\d+/g, '?');
    const { rows } = await db.raw<{ rows: [{ 'QUERY PLAN': unknown }] }>(`EXPLAIN (FORMAT JSON) ${text}`, [
      ...bindings,
    ] as Knex.RawBinding[]);
    const scanned = scansIn(rows[0]['QUERY PLAN']);
    const known = plans.get(sql);
    plans.set(sql, { sql, scanned: [...new Set([...scanned, ...(known?.scanned ?? [])])] });
  }
  return [...plans.values()];
}

async function askEverything(db: Knex): Promise<void> {
  const nobody = (): Promise<void> => Promise.resolve();
  const licenses = new Licenses(db, systemClock, new LocalChanges(), nobody);
  const { licenses: some } = await licenses.list({}, 200);
  const [one] = some;
  if (one === undefined) throw new Error('there are no licenses');
  await licenses.list({}, 50, one);
  for (const tier of ['free', 'pro', 'enterprise', 'none']) await licenses.list({ tier }, 50);
  for (const status of ['active', 'suspended', 'revoked', 'expired'] as const)
    await licenses.list({ status }, 50);
  await licenses.list({ email: one.email }, 50);
  await licenses.list({ expiresBefore: new Date() }, 50);
  await licenses.find(one.id);
  await licenses.findByKey('LIC-00000-00000-00000-00000-00000');
  await readSession(db, Buffer.alloc(32).toString('base64'));
  await db('devices').where({ license_id: one.id }).whereNull('removed_at').select('id');
  await db('proxy_keys').where({ device_id: 1 }).select('id');
  const today = new Date().toISOString().slice(0, 10);
  const first = `${today.slice(0, 8)}01`;
  await ledgerCounts(db, one.id, { first, today, last: today });
  const month = { from: first, to: today, limit: 51 };
  await usageReport(db, { ...month, groupBy: ['day', 'model'], license: one.id });
  for (const groupBy of [
    ['day'],
    ['provider', 'model'],
    ['license'],
    ['day', 'license'],
    ['license', 'model'],
  ] as const)
    await usageReport(db, { ...month, groupBy });
}

function scansIn(plan: unknown): string[] {
  if (typeof plan !== 'object' || plan === null) return [];
  const node = plan as Record<string, unknown>;
  const relation = String(node['Relation Name']);
  const own = node['Node Type'] === 'Seq Scan' && LARGE.includes(relation) ? [relation] : [];
  return [...own, ...Object.values(node).flatMap(scansIn)];
}
