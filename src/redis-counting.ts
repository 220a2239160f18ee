import type { Redis } from 'ioredis';
import type { Knex } from 'knex';
import type { Clock } from './clock.ts';
import { streamKey } from './quota/partitions.ts';
import type { Replacement } from './quota/datasets.ts';
import { RedisAdmission } from './quota/redis-admission.ts';
import type { StreamLedger } from './quota/stream-ledger.ts';
import { isoDay } from './quota/windows.ts';
import { readLedger } from './read-ledger.ts';
import { describeRedis, locateRedis, openRedis, openSubscriber, type RedisClient } from './stores/redis.ts';
import type { OperationReport } from './stores/operation-report.ts';
import { FIRST_ID } from './stores/stream-ids.ts';
import type { FlushReport } from './usage/ledger.ts';
import { StreamFold, type StreamName } from './usage/stream-fold.ts';

/** Reading a long stream may take longer than a decision. Milliseconds. */
const FOLD_TIMEOUT = 2_000;

/** An instance's connections to Redis. */
export interface Connections {
  /** For what is asked beside the counters. */
  redis: RedisClient;
  /** For admissions alone: their calls are bounded one by one, and nothing large is in their way. */
  counters: RedisClient;
  /** For reading the streams. */
  folding: RedisClient;
  subscriber: Redis;
  description: string;
}

/**
 * Opens them, all or none.
 * @param setting REDIS_URL
 * @throws with a sentence that names REDIS_URL, if Redis cannot be reached
 */
export async function connectToRedis(
  setting: string,
  {
    timeoutMs,
    report,
    commands,
  }: { timeoutMs: number; report: FlushReport; commands: (use: 'general' | 'ledger') => OperationReport },
): Promise<Connections> {
  let lastError: Error | undefined;
  const onError = (err: Error): void => {
    lastError = err;
    report.failed(err);
  };
  const opened: RedisClient[] = [];
  const open = async (): Promise<Connections> => {
    const address = await locateRedis(setting);
    const redis = openRedis(address, onError, { timeoutMs, report: commands('general') });
    const counters = openRedis(address, onError, { batched: true });
    const folding = openRedis(address, onError, { timeoutMs: FOLD_TIMEOUT, report: commands('ledger') });
    const subscriber = openSubscriber(address, onError);
    opened.push(redis, counters, folding, subscriber);
    redis.on('ready', () => report.succeeded());
    await Promise.all(opened.map((connection) => connection.connect()));
    return { redis, counters, folding, subscriber, description: describeRedis(address) };
  };
  // What connect() rejects with says only that there is no connection; what the listener heard says why.
  const connections = await open().catch((error: unknown) => ({ cause: lastError ?? error }));
  if (!('cause' in connections)) return connections;
  for (const connection of opened) connection.disconnect();
  const place = describeRedis({ urls: setting.split(','), isCluster: false });
  throw new Error(`${place} cannot be used: correct REDIS_URL, or start it`, connections);
}

interface Options {
  knex: Knex;
  connections: Pick<Connections, 'counters' | 'folding'>;
  prefix: string;
  /** How long a decision may wait for Redis. Milliseconds. */
  timeoutMs: number;
  clock?: Clock | undefined;
  /** Told how folding goes. */
  report: FlushReport;
  /** Told of each call that decides or books. */
  decisions?: OperationReport;
  replaced?: ((event: Replacement) => void) | undefined;
}

/** Counting in Redis and the ledger behind it, which each need the other. */
export function wireRedisCounting(options: Options): {
  admission: RedisAdmission;
  fold: StreamFold;
} {
  const { knex, connections, prefix, timeoutMs, clock, report, decisions, replaced } = options;
  const fold: StreamFold = new StreamFold({
    db: knex,
    redis: connections.folding,
    keyOf: ({ partition, dataset }: StreamName) => streamKey(prefix, partition, dataset),
    streams: () => admission.datasets.verified(),
    isoDay,
    report,
    folded: (offsets) => {
      for (const { partition, dataset, foldedTo } of offsets)
        admission.journal.confirm(partition, dataset, foldedTo);
      admission.datasets.compare(offsets);
    },
  });
  const ledger = streamLedger(knex, fold);
  const redis = connections.counters;
  const admission: RedisAdmission = new RedisAdmission({
    redis,
    prefix,
    timeoutMs,
    ledger,
    clock,
    report: decisions,
    replaced,
  });
  return { admission, fold };
}

function streamLedger(knex: Knex, fold: StreamFold): StreamLedger {
  return {
    async counts(licenseId, day, { partition, dataset }) {
      const counts = await readLedger(knex, licenseId, day, `${partition}/${dataset}`);
      return { ...counts, foldedTo: counts.foldedTo ?? FIRST_ID };
    },
    datasets: () => fold.offsets(),
    fold: (partition, dataset) => fold.fold({ partition, dataset }),
    close: (partition, dataset) => fold.close({ partition, dataset }),
  };
}
