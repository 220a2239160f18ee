import { statfs } from 'node:fs/promises';
import type { Config } from './config.ts';
import type { Logger } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { Room } from './observe/metrics/surroundings.ts';
import { PublicCertificate } from './public-certificate.ts';
import { RedisMemory } from './stores/redis-memory.ts';
import type { RedisClient } from './stores/redis.ts';

interface Watched {
  config: Config;
  metrics: Metrics;
  redis: RedisClient | undefined;
  log: Logger;
}

/** Lets the metrics see what around the gateway runs out; returns how to stop looking. */
export function watchSurroundings({ config, metrics, redis, log }: Watched): () => void {
  const { surroundings } = metrics;
  if (config.databaseUrl === undefined) surroundings.watchDataDir(() => roomIn(config.dataDir));
  if (redis !== undefined) {
    const memory = new RedisMemory(redis);
    surroundings.watchRedisMemory(() => memory.use());
  }
  const { publicUrl } = config;
  if (publicUrl?.protocol !== 'https:') return () => undefined;
  const certificate = new PublicCertificate(publicUrl, (err) => {
    log.warn({ err, host: publicUrl.host }, 'PUBLIC_URL shows no certificate; looking again in a minute');
  });
  surroundings.watchCertificate(certificate.host, () => certificate.expiresAt);
  return () => certificate.close();
}

async function roomIn(folder: string): Promise<Room | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    return undefined;
  }
}
