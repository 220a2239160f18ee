import type { Knex } from 'knex';
import { hashKey, newLicenseKey } from '../../src/licensing/keys.ts';

/** How long a call took, in milliseconds, each time. */
export interface Timed {
  readonly what: string;
  /** Milliseconds, of the 99th percentile; undefined: nothing is promised. */
  readonly promised?: number;
  readonly times: readonly number[];
}

interface Target {
  url: string;
  adminToken: string;
  db: Knex;
  /** How often each is called. */
  calls: number;
}

/** Times the calls whose cost could grow with state, through a running gateway, one after the other. */
export async function timeCalls(target: Target): Promise<Timed[]> {
  const { db, calls } = target;
  const keys = await giveKeys(db, calls);
  const some = await db('licenses').whereRaw(
    `id IN (SELECT id FROM licenses TABLESAMPLE system (1) LIMIT ?)`,
    [calls],
  );
  const licenses = (some as { id: string; email: string }[]).map(({ id, email }) => ({ id, email }));
  const busy = await db('usage')
    .whereLike('model', 'gpt-4o')
    .limit(calls)
    .distinct<{ license_id: string }[]>('license_id');
  const activate = (hardwareId: string) =>
    timed(keys, (key) => post(`${target.url}/activate`, { license_key: key, hardware_id: hardwareId }));
  const get = (paths: string[]): Promise<number[]> => timed(paths, (path) => admin(target, path));
  const month = lastMonth();
  const over = (groups: string) =>
    get(Array.from({ length: 20 }, () => `/usage?${month}&group_by=${groups}`));
  const list = (filter: string) => get(Array.from({ length: 20 }, () => `/licenses?${filter}`));
  return [
    { what: '/activate, a new device', promised: 20, times: await activate('bench-new') },
    { what: '/activate again, the key rotates', promised: 20, times: await activate('bench-new') },
    {
      what: 'usage of one license, by day',
      promised: 20,
      times: await get(licenses.map(({ id }) => `/usage?license=${id}&${month}&group_by=day`)),
    },
    {
      what: 'usage of one busy license over a year, by day and model',
      promised: 20,
      times: await get(
        busy.map(({ license_id: id }) => `/usage?license=${id}&${lastYear()}&group_by=day,model`),
      ),
    },
    { what: 'a month over all, by day', promised: 500, times: await over('day') },
    { what: 'a month over all, by provider and model', promised: 500, times: await over('provider,model') },
    { what: 'a month over all, by license', promised: 500, times: await over('license') },
    { what: 'a month over all, by day and license', promised: 500, times: await over('day,license') },
    { what: 'licenses, pages of 200 by cursor', times: await timePages(target) },
    { what: 'licenses of a tier', times: await list('tier=enterprise') },
    { what: 'licenses that are suspended', times: await list('status=suspended') },
    { what: 'licenses that have expired', times: await list('status=expired') },
    {
      what: 'licenses of an address',
      times: await get(licenses.map(({ email }) => `/licenses?email=${email}`)),
    },
    {
      what: 'a license with devices and usage',
      times: await get(licenses.map(({ id }) => `/licenses/${id}`)),
    },
  ];
}

/** Some licenses with room for a device get keys that are known here. */
async function giveKeys(db: Knex, count: number): Promise<string[]> {
  const ids = await db('licenses')
    .where({ tier: 'pro', status: 'active' })
    .whereNull('expires_at')
    .orderByRaw('md5(id)')
    .limit(count)
    .pluck<string[]>('id');
  const keys: string[] = [];
  for (const id of ids) {
    const key = newLicenseKey();
    await db('licenses')
      .where({ id })
      .update({ key_hash: hashKey(key) });
    keys.push(key);
  }
  return keys;
}

async function timePages(target: Target): Promise<number[]> {
  let cursor = '';
  return timed(Array.from({ length: 50 }), async () => {
    const page = await admin(target, `/licenses?limit=200${cursor}`);
    cursor = `&cursor=${(page as { next_cursor: string }).next_cursor}`;
  });
}

async function timed<Item>(
  items: readonly Item[],
  call: (item: Item) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (const item of items) {
    const began = performance.now();
    await call(item);
    times.push(performance.now() - began);
  }
  return times;
}

function admin({ url, adminToken }: Target, path: string): Promise<unknown> {
  return answerOf(fetch(`${url}/admin/v1${path}`, { headers: { authorization: `Bearer ${adminToken}` } }));
}

function post(url: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  return answerOf(fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function answerOf(call: Promise<Response>): Promise<unknown> {
  const answer = await call;
  if (!answer.ok)
    throw new Error(`${new URL(answer.url).pathname} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10);
const DAY_MS = 86_400_000;

function lastMonth(): string {
  return `from=${isoDay(Date.now() - 30 * DAY_MS)}&to=${isoDay(Date.now())}`;
}

function lastYear(): string {
  return `from=${isoDay(Date.now() - 364 * DAY_MS)}&to=${isoDay(Date.now())}`;
}
