import { Redis } from 'ioredis';

/** An answer that takes longer counts as none: each admission is decided within 200 ms. Milliseconds. */
const COMMAND_TIMEOUT = 150;

/**
 * Opens a connection that fails fast: no queue of commands while Redis is away (with ioredis' defaults a dead Redis
 * held a request for over a minute, a hung one for ever), and every command bounded in time. It reconnects by itself,
 * at least once a second.
 * @param onError is told of each connection error; without a listener ioredis would print them
 */
export function openRedis(url: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT,
    connectTimeout: 1_000,
    maxRetriesPerRequest: 0,
    // A command that was under way when the connection broke is not sent again: it may have counted already.
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  });
  redis.on('error', onError);
  return redis;
}

/** For people: where it is, without the password. */
export function describeRedis(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  return `Redis at ${hostname}:${port || '6379'}${pathname === '/' ? '' : pathname}${protocol === 'rediss:' ? ' (TLS)' : ''}`;
}
