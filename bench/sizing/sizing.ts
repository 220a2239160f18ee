import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOwnPostgres } from '../../test/support/servers/own-postgres.ts';
import { startOwnRedis } from '../../test/support/servers/own-redis.ts';
import type { RunContext } from '../../test/support/servers/run-context.ts';
import { pinCores } from '../cores.ts';
import { figureTable } from '../figures/figure.ts';
import type { LoadGenerator } from '../load/load.ts';
import { gatewayFigures } from './gateway-figures.ts';
import { ledgerFigures } from './ledger-figures.ts';
import { redisFigures } from './redis-figures.ts';

/**
 * Measures what docs/operations.md sizes an installation by, on stores of its own: what a license, a request and an open
 * stream cost in Redis, in PostgreSQL and in a gateway. Prints a table and writes `bench/results/sizing.json`.
 */
export async function printSizing(context: RunContext, load: LoadGenerator): Promise<void> {
  const pinning = pinCores();
  // As operations.md asks for it: what is written survives a killed process.
  const redis = await startOwnRedis({ appendOnly: true });
  context.closers.add('Redis', () => redis.stop());
  const postgres = await startOwnPostgres();
  context.closers.add('PostgreSQL', () => postgres.stop());
  const env = { ...context.env, TEST_REDIS_URL: redis.url, TEST_DATABASE_URL: postgres.url };
  console.error(`${process.version}; ${load.name}; ${pinning.description}`);
  const figures = [
    ...(await redisFigures(redis.url)),
    ...(await ledgerFigures(postgres.url)),
    ...(await gatewayFigures({ context: { ...context, env }, pinning, load, redisUrl: redis.url })),
  ];
  console.log(figureTable(figures));
  const folder = join(import.meta.dirname, '..', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'sizing.json');
  const setup = { at: new Date().toISOString(), node: process.version, load: load.name };
  writeFileSync(file, `${JSON.stringify({ ...setup, figures }, undefined, 2)}\n`);
  console.log(file);
}
