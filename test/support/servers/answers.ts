import { Redis } from 'ioredis';
import pg from 'pg';

import { settledWithin } from './closers.ts';

/** Whether a PostgreSQL answers a query at this address: undefined when it does, else what went wrong. */
export async function postgresProblem(url: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000, query_timeout: 2000 });
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
export async function redisProblem(url: string): Promise<string | undefined> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2000,
    commandTimeout: 2000,
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
