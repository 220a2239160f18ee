import type { Knex } from 'knex';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Logger } from './observe/log.ts';
import { UsageRetention } from './usage/retention.ts';

/** Deletes old usage where USAGE_RETENTION_MONTHS says so; returns how to stop. */
export function forgetOldUsage({
  config,
  db,
  clock,
  log,
}: {
  config: Config;
  db: Knex;
  clock: Clock;
  log: Logger;
}): () => Promise<void> {
  const { usageRetentionMonths: months } = config;
  if (months === 0) return () => Promise.resolve();
  const retention = new UsageRetention({
    db,
    months,
    now: () => clock.now(),
    report: {
      deleted: (rows, before) => log.info({ rows, before }, 'usage that is not to be kept was deleted'),
      failed: (err) => log.error({ err }, 'old usage cannot be deleted; trying again in an hour'),
    },
  });
  return () => retention.close();
}
