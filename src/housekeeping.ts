import type { Knex } from 'knex';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Logger } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { RedisClient } from './stores/redis.ts';
import { UsageRetention } from './usage/retention.ts';
import { watchSurroundings } from './watch-surroundings.ts';

interface House {
  config: Config;
  db: Knex;
  redis: RedisClient | undefined;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

/** What a gateway does beside serving: watches what runs out, deletes what is old. Returns how to stop. */
export function keepHouse({ config, db, redis, clock, log, metrics }: House): () => Promise<void> {
  const stopWatching = watchSurroundings({ config, metrics, redis, log });
  const retention = retentionFor({ config, db, clock, log });
  return async () => {
    stopWatching();
    await retention?.close();
  };
}

/** Undefined where USAGE_RETENTION_MONTHS keeps everything. */
function retentionFor({
  config: { usageRetentionMonths: months },
  db,
  clock,
  log,
}: Pick<House, 'config' | 'db' | 'clock' | 'log'>): UsageRetention | undefined {
  if (months === 0) return undefined;
  return new UsageRetention({
    db,
    months,
    now: () => clock.now(),
    report: {
      deleted: (rows, before) => log.info({ rows, before }, 'usage that is not to be kept was deleted'),
      failed: (err) => log.error({ err }, 'old usage cannot be deleted; trying again in an hour'),
    },
  });
}
