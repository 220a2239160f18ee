import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Cluster } from './cluster.ts';
import { LICENSE_HEADER } from './load.ts';

/** Nothing is going to change any more when they have stood still for so long, agreeing or not. Milliseconds. */
const AGREES_FOR = 700;
const DISAGREES_FOR = 3_000;
const PATIENCE = 40_000;

/** What the three places say about a license, today. */
export interface Counts {
  /** The counter that admission decides by. */
  readonly redis: number;
  /** The sum of the license's rows in PostgreSQL. */
  readonly ledger: number;
  /** Requests that the provider received. */
  readonly provider: number;
}

export interface CountsAtRest extends Counts {
  /** From the call until they were first read as they are now. Milliseconds. */
  readonly withinMs: number;
}

/** Waits until the counts of a license stand still, and returns them. @throws if they cannot be read in the end */
export async function countsAtRest(cluster: Cluster, licenseId: string): Promise<CountsAtRest> {
  const began = performance.now();
  let last: Counts | undefined;
  let since = began;
  for (;;) {
    const counts = await readCounts(cluster, licenseId).catch((error: unknown) => {
      if (performance.now() - began > PATIENCE) throw error;
      return undefined;
    });
    const now = performance.now();
    if (counts === undefined || last === undefined || !areSame(counts, last)) since = now;
    last = counts;
    const { redis = NaN, ledger = NaN, provider = NaN } = counts ?? {};
    const agree = redis === ledger && ledger === provider && cluster.simulator.openRequests() === 0;
    const isOver = now - since > (agree ? AGREES_FOR : DISAGREES_FOR);
    if (counts !== undefined && (isOver || now - began > PATIENCE))
      return { ...counts, withinMs: since - began };
    await sleep(50);
  }
}

/** How many requests of a license the provider has received. */
export function receivedBy({ simulator }: Cluster, licenseId: string): number {
  return simulator.requests.filter(({ headers }) => headers[LICENSE_HEADER] === licenseId).length;
}

async function readCounts(cluster: Cluster, licenseId: string): Promise<Counts> {
  const ledger = await ledgerOf(cluster, licenseId);
  const { today: redis } = await cluster.customers.used(licenseId);
  return { redis, ledger, provider: receivedBy(cluster, licenseId) };
}

/** The sum of a license's rows. */
export async function ledgerOf(cluster: Cluster, licenseId: string): Promise<number> {
  const text = 'SELECT coalesce(sum(requests), 0)::int AS sum FROM usage WHERE license_id = $1';
  const [row] = await queryDatabase<{ sum: number }>(cluster, text, [licenseId]);
  return row?.sum ?? NaN;
}

/** Asks a cluster's database, over a connection of its own. */
export async function queryDatabase<Row extends object>(
  { databaseUrl }: Cluster,
  text: string,
  values: string[] = [],
): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  client.on('error', () => undefined); // it is thrown by the calls below as well
  try {
    await client.connect();
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

function areSame(one: Counts, other: Counts): boolean {
  return one.redis === other.redis && one.ledger === other.ledger && one.provider === other.provider;
}
