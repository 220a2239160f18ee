import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { startOwnPostgres } from '../../test/support/servers/own-postgres.ts';
import { startOwnRedis } from '../../test/support/servers/own-redis.ts';
import type { RunContext } from '../../test/support/servers/run-context.ts';
import { pinCores } from '../cores.ts';
import type { LoadGenerator } from '../load/load.ts';
import type { Spread } from '../statistics.ts';
import { gatewayFigures } from './gateway-figures.ts';
import { ledgerFigures } from './ledger-figures.ts';
import { redisFigures } from './redis-figures.ts';

/** One figure that an installation is sized by. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** Undefined where this machine cannot tell. */
  readonly value: Spread | undefined;
}

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
  console.log(tableOf(figures));
  const folder = join(import.meta.dirname, '..', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'sizing.json');
  const setup = { at: new Date().toISOString(), node: process.version, load: load.name };
  writeFileSync(file, `${JSON.stringify({ ...setup, figures }, undefined, 2)}\n`);
  console.log(file);
}

function tableOf(figures: readonly Figure[]): string {
  const table = new Table({
    head: ['', 'median', 'least–most', ''],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { what, unit, value } of figures) {
    const range = value === undefined ? '' : `${shown(value.min)}–${shown(value.max)}`;
    table.push([what, value === undefined ? '–' : shown(value.median), range, unit]);
  }
  return table.toString();
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
}
