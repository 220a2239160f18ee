import { Redis } from 'ioredis';
import pg from 'pg';

import { settledWithin } from './closers.ts';

/** How long a server may take to answer that is expected to be there or not. Milliseconds. */
const PATIENCE = 2_000;

/** Whether a PostgreSQL answers a query at this address: undefined when it does, else what went wrong. */
export async function postgresProblem(url: string, withinMs = PATIENCE): Promise<string | undefined> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: withinMs,
    query_timeout: withinMs,
  });
  client.on('error', () => undefined); // it is thrown by the calls below as well
  try {
    await client.connect();
    await client.query('select 1');
    return undefined;
  } catch (error) {
    return reasonOf(error);
  } finally {
    // A server that has stopped answering does not answer the goodbye either.
    await settledWithin(client.end(), 500);
  }
}

/** Whether a Redis answers PING at this address: undefined when it does, else what went wrong. */
export async function redisProblem(url: string, withinMs = PATIENCE): Promise<string | undefined> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: withinMs,
    commandTimeout: withinMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let cause: unknown;
  client.on('error', (error: unknown) => {
    cause = error; // says more than the "Connection is closed." that the call below throws
  });
  try {
    await client.connect();
    await client.ping();
    return undefined;
  } catch (error) {
    return reasonOf(cause ?? error);
  } finally {
    client.disconnect();
  }
}

/** One line that says why, also for an error whose message is empty (AggregateError of a refused connection). */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
