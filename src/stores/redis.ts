import { Redis } from 'ioredis';

/** An answer that takes longer counts as none: so each admission is decided within 200 ms. Milliseconds. */
export const DEFAULT_REDIS_TIMEOUT = 150;

/**
 * Opens a connection that fails fast: no queue of commands while Redis is away (with ioredis' defaults a dead Redis
 * held a request for over a minute, a hung one for ever), and every command bounded in time. It reconnects by itself,
 * at least once a second.
 * @param onError is told of each connection error; without a listener ioredis would print them
 * @param timeoutMs how long an answer may take
 */
export function openRedis(
  url: string,
  onError: (error: Error) => void,
  timeoutMs: number = DEFAULT_REDIS_TIMEOUT,
): Redis {
  const redis = new BoundedRedis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    connectTimeout: 1_000,
    maxRetriesPerRequest: 0,
    // A command that was under way when the connection broke is not sent again: it may have counted already.
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  });
  redis.timeoutMs = timeoutMs;
  redis.on('error', onError);
  return redis;
}

/**
 * Bounds each command in time, as ioredis' own `commandTimeout` does, but gives no command up before its connection has
 * been read once more: after the process itself was busy for long, timers run before the answers that came meanwhile.
 * A request would be refused that Redis had counted.
 */
class BoundedRedis extends Redis {
  timeoutMs = DEFAULT_REDIS_TIMEOUT;

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    const giveUp = (): void => {
      if (!command.isSettled) command.reject(new Error(`Redis did not answer within ${this.timeoutMs} ms`));
    };
    const timer = setTimeout(() => {
      if (!command.isSettled) setImmediate(giveUp);
    }, this.timeoutMs);
    timer.unref();
    return super.sendCommand(command, stream);
  }
}

/** For people: where it is, without the password. */
export function describeRedis(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  return `Redis at ${hostname}:${port || '6379'}${pathname === '/' ? '' : pathname}${protocol === 'rediss:' ? ' (TLS)' : ''}`;
}
