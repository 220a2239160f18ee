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
import type { Bookings } from './quota/bookings.ts';
import { NearLimits } from './quota/near-limits.ts';
import { MemoryNearSets, RedisNearSets } from './quota/near-sets.ts';
import { OutageAllowance } from './quota/outage-allowance.ts';
import { isoDay } from './quota/windows.ts';
import { readLedger } from './read-ledger.ts';
import { connectToRedis, wireRedisCounting, type Connections } from './redis-counting.ts';
import type { RedisClient } from './stores/redis.ts';
import { BufferedLedger } from './usage/buffered-ledger.ts';
import { applyToLedger, LedgerChanges, type FlushReport } from './usage/ledger.ts';

/** Admission, the ledger behind it and the news between instances: over Redis, or within this process. */
export interface Counting {
  readonly admission: Admission;
  readonly changes: Changes;
  readonly redis: RedisClient | undefined;
  readonly description: string;
  readonly nearLimits: NearLimits;
  readonly ledger: {
    /** What is admitted and not known to be in the ledger, and since when the oldest of it is (`performance.now()`). */
    waiting(): { events: number; oldestAt: number | undefined };
    /** How many events this instance has written to it. */
    written(): number;
  };
  /** Whether the counters were there when they were last asked. */
  answers(): boolean;
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

function countInProcess({ knex, clock, log, metrics }: Options): Counting {
  const report = ledgerReport(
    'usage cannot be written to the database; it is kept and tried again',
    log,
    metrics,
  );
  const ledger = new BufferedLedger(knex, report);
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
    nearLimits: new NearLimits(new MemoryNearSets()),
    ledger: { waiting: () => ledger.waiting, written: () => ledger.written },
    answers: () => true,
    ping: () => Promise.resolve(),
    close: () => ledger.close(),
  };
}

async function countInRedis(
  { config, knex, clock, log, metrics }: Options,
  setting: string,
): Promise<Counting> {
  const { redisPrefix: prefix, redisTimeoutMs: timeoutMs } = config;
  const connections = await connect(setting, timeoutMs, { log, metrics });
  const { redis, counters, folding, subscriber, description } = connections;
  const report = ledgerReport(
    'usage cannot be folded into the ledger; it is kept and tried again',
    log,
    metrics,
  );
  const { admission, fold } = wireRedisCounting({
    ...{ knex, connections, prefix, timeoutMs, clock, report },
    decisions: metrics.stores.operations('redis', 'counters'),
    replaced(event) {
      metrics.stores.dataLost(event.partitions);
      log.warn(event, 'Redis has lost its data: counters start from the ledger');
    },
  });
  const changes = new RedisChanges(redis, subscriber, prefix);
  await admission.datasets.verify();
  return {
    admission: new OutageAllowance({
      counters: admission,
      bookings: admission.bookings,
      nextTag: () => admission.nextTag(),
      clock: clock ?? systemClock,
    }),
    changes,
    redis,
    description,
    nearLimits: new NearLimits(new RedisNearSets(redis, prefix)),
    ledger: { waiting: () => admission.waiting(), written: () => fold.written },
    answers: () => admission.answers && changes.live,
    ping: () => redis.ping(),
    async close() {
      changes.close();
      await fold.round();
      await admission.close();
      await bookInLedger(knex, admission.bookings, log);
      await fold.stop();
      for (const connection of [redis, counters, folding, subscriber]) connection.disconnect();
    },
  };
}

function connect(
  setting: string,
  timeoutMs: number,
  { log, metrics: { stores } }: Pick<Options, 'log' | 'metrics'>,
): Promise<Connections> {
  const away = new Trouble(log, 'Redis cannot be reached; trying again');
  return connectToRedis(setting, {
    timeoutMs,
    report: {
      failed(error) {
        stores.connectionFailed('redis');
        away.failed(error);
      },
      succeeded: () => away.succeeded(),
    },
    commands: (use) => stores.operations('redis', use),
  });
}

/** Logs and counts how writing to the ledger goes. */
function ledgerReport(what: string, log: Logger, metrics: Metrics): FlushReport {
  const trouble = new Trouble(log, what);
  return {
    failed(error) {
      metrics.counting.ledgerFailed();
      trouble.failed(error);
    },
    succeeded: () => trouble.succeeded(),
  };
}

/** What was admitted in an outage that outlasts this instance: Redis cannot be told, so the ledger is. */
async function bookInLedger(knex: Knex, { pending }: Bookings, log: Logger): Promise<void> {
  if (pending.length === 0) return;
  const changes = new LedgerChanges();
  for (const { rows, day } of pending) {
    for (const { licenseId, deviceId, provider, model, requests, refunded } of rows)
      changes.add({ licenseId, deviceId, provider, model, day: isoDay(day), requests, refunded });
  }
  try {
    await knex.transaction((trx) => applyToLedger(trx, changes));
    log.warn({ bookings: pending.length }, 'Redis is away: booked in the ledger what its counters lack');
  } catch (err) {
    log.error({ err, bookings: pending.length }, 'admissions of the outage could be booked nowhere');
  }
}
