import type { Redis } from 'ioredis';
import type { Knex } from 'knex';
import { systemClock, type Clock } from './clock.ts';
import type { Config } from './config.ts';
import { LocalChanges, type Changes } from './licensing/changes.ts';
import { RedisChanges } from './licensing/redis-changes.ts';
import type { Logger } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { Trouble } from './observe/trouble.ts';
import type { Admission, CounterSource } from './quota/admission.ts';
import { MemoryAdmission } from './quota/memory-admission.ts';
import { partitionNames, partitionOf, streamKey } from './quota/partitions.ts';
import { RedisAdmission } from './quota/redis-admission.ts';
import { isoDay, isoDaysOfMonth, monthOfDay } from './quota/windows.ts';
import { describeRedis, openRedis } from './stores/redis.ts';
import { BufferedLedger } from './usage/buffered-ledger.ts';
import { ledgerCounts } from './usage/ledger.ts';
import { StreamFold } from './usage/stream-fold.ts';

/** Admission, the ledger behind it and the news between instances: over Redis, or within this process. */
export interface Counting {
  readonly admission: Admission;
  readonly changes: Changes;
  readonly redis: Redis | undefined;
  readonly description: string;
  /** @throws if the counters cannot be reached */
  ping(): Promise<unknown>;
  /** Writes what was counted, then disconnects. */
  close(): Promise<void>;
}

interface Options {
  config: Config;
  knex: Knex;
  clock: Clock | undefined;
  log: Logger;
  metrics: Metrics;
}

/** @throws if Redis is configured and does not answer */
export async function openCounting(options: Options): Promise<Counting> {
  const { redisUrl } = options.config;
  return redisUrl === undefined ? countInProcess(options) : countInRedis(options, redisUrl);
}

function countInProcess({ knex, clock, log }: Options): Counting {
  const trouble = new Trouble(log, 'usage cannot be written to the database; it is kept and tried again');
  const ledger = new BufferedLedger(knex, trouble);
  const source: CounterSource = {
    async countsOf(licenseId, day) {
      await ledger.flush();
      return readLedger(knex, licenseId, day);
    },
  };
  const book = ({
    day,
    ...booking
  }: Parameters<ConstructorParameters<typeof MemoryAdmission>[0]['book']>[0]): void =>
    ledger.book({ ...booking, day: isoDay(day) });
  return {
    admission: new MemoryAdmission({ clock: clock ?? systemClock, source, book }),
    changes: new LocalChanges(),
    redis: undefined,
    description: 'in this process, written to the database twice a second',
    ping: () => Promise.resolve(),
    close: () => ledger.close(),
  };
}

async function countInRedis({ config, knex, clock, log, metrics }: Options, url: string): Promise<Counting> {
  const away = new Trouble(log, 'Redis cannot be reached; trying again');
  let lastError: Error | undefined;
  const onError = (err: Error): void => {
    lastError = err;
    metrics.storeFailed('redis');
    away.failed(err);
  };
  const redis = openRedis(url, onError, config.redisTimeoutMs);
  const subscriber = openRedis(url, onError, config.redisTimeoutMs);
  redis.on('ready', () => away.succeeded());
  // What connect() rejects with says only that there is no connection; what the listener heard says why.
  const failure = await Promise.all([redis.connect(), subscriber.connect()]).then(
    () => undefined,
    (error: unknown) => lastError ?? error,
  );
  if (failure !== undefined) {
    redis.disconnect();
    subscriber.disconnect();
    throw new Error(`${describeRedis(url)} cannot be used: correct REDIS_URL, or start it`, {
      cause: failure,
    });
  }
  const fold = new StreamFold({
    db: knex,
    redis,
    streams: partitionNames.map((source) => ({ source, key: streamKey(config.redisPrefix, source) })),
    isoDay,
    report: new Trouble(log, 'usage cannot be folded into the ledger; it is kept and tried again'),
  });
  const source: CounterSource = {
    async countsOf(licenseId, day) {
      await fold.fold(partitionOf(licenseId));
      return readLedger(knex, licenseId, day);
    },
  };
  const changes = new RedisChanges(redis, subscriber, config.redisPrefix);
  return {
    admission: new RedisAdmission({ redis, prefix: config.redisPrefix, source, clock }),
    changes,
    redis,
    description: describeRedis(url),
    ping: () => redis.ping(),
    async close() {
      changes.close();
      await fold.close();
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}

function readLedger(
  knex: Knex,
  licenseId: string,
  day: number,
): Promise<{ today: number; thisMonth: number }> {
  const { first, last } = isoDaysOfMonth(monthOfDay(day));
  return ledgerCounts(knex, licenseId, { first, today: isoDay(day), last });
}
