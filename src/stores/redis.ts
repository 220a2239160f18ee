import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { reported, type OperationReport } from './operation-report.ts';

/** A connection to one Redis, or to a cluster of them. */
export type RedisClient = Redis | Cluster;

/** An answer that takes longer counts as none: so each admission is decided within 200 ms. Milliseconds. */
export const DEFAULT_REDIS_TIMEOUT = 150;

/** How long to wait before connecting again, at most: Redis is used again within a second of its return. Milliseconds. */
const RECONNECT_WITHIN = 250;
const CONNECT_TIMEOUT = 1_000;
/** A connection on which an answer is missing for so long is given up for a new one. Milliseconds. */
const SILENCE = 3_000;
/** So that a node that was promoted is found without waiting for a command that is refused. Milliseconds. */
const LOOK_FOR_NODES_EVERY = 2_000;

/**
 * What all connections have in common: they fail fast. No queue of commands while Redis is away (with ioredis' defaults
 * a dead Redis held a request for over a minute, a hung one for ever), and a command that was under way when its
 * connection broke is not sent again: it may have counted already.
 */
const failFast = {
  lazyConnect: true,
  connectTimeout: CONNECT_TIMEOUT,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  disableClientInfo: true,
  // We subscribe again ourselves: ioredis' own attempt is awaited by nobody, and its failure would end the process.
  autoResubscribe: false,
  // A master that was made a replica keeps its connections: the name, or the proxy before it, leads to the new one.
  reconnectOnError: (error: Error) => /\bREADONLY\b/.test(error.message),
  // A Redis that reads its append-only file is asked again soon, instead of after the seconds that it estimates.
  maxLoadingRetryTime: RECONNECT_WITHIN,
} as const satisfies RedisOptions;

const reconnect = (attempt: number): number => Math.min(50 * attempt, RECONNECT_WITHIN);

/** Where Redis is, and in which form. */
export interface RedisAddress {
  /** One, or the nodes of a cluster that are asked for the others. */
  readonly urls: readonly string[];
  readonly isCluster: boolean;
}

/**
 * Finds out whether REDIS_URL names a Redis Cluster, by asking it.
 * @param setting a URL, or those of several nodes of a cluster, separated by commas
 * @throws what the last of them failed with, if none of them answers
 */
export async function locateRedis(setting: string): Promise<RedisAddress> {
  const urls = setting.split(',').map((url) => url.trim());
  let failure: unknown;
  for (const url of urls) {
    let problem: Error | undefined;
    const redis = openRedis({ urls: [url], isCluster: false }, (error) => (problem = error), {
      timeoutMs: 2_000,
    });
    try {
      await redis.connect();
      return { urls, isCluster: /^cluster_enabled:1/m.test(await redis.info('cluster')) };
    } catch (error) {
      failure = problem ?? error;
    } finally {
      redis.disconnect();
    }
  }
  throw failure;
}

export interface RedisSettings {
  /** How long any answer may take; undefined: the caller bounds its calls itself. Milliseconds. */
  timeoutMs?: number | undefined;
  /** Told of each command. */
  report?: OperationReport | undefined;
  /** Writes the commands of a turn of the event loop at its end, in one system call. Not in a cluster. */
  batched?: boolean;
}

/**
 * Opens a connection that fails fast and comes back by itself.
 * @param onError is told of each connection error; without a listener ioredis would print them
 */
export function openRedis(
  address: RedisAddress,
  onError: (error: Error) => void,
  { timeoutMs, report, batched = false }: RedisSettings = {},
): RedisClient {
  const redis = address.isCluster
    ? openCluster(address.urls, timeoutMs)
    : openSingle(address.urls, timeoutMs);
  if (redis instanceof BoundedRedis) redis.batched = batched;
  redis.report = report;
  redis.on('error', onError);
  // A cluster's own 'error' does not tell of its nodes.
  redis.on('node error', onError);
  return redis;
}

function openSingle([url = '']: readonly string[], timeoutMs: number | undefined): BoundedRedis {
  const redis = new BoundedRedis(url, {
    ...failFast,
    enableOfflineQueue: false,
    retryStrategy: reconnect,
  });
  redis.timeoutMs = timeoutMs;
  return redis;
}

function openCluster(urls: readonly string[], timeoutMs: number | undefined): BoundedCluster {
  const [first = ''] = urls;
  const { username, password, protocol } = new URL(first);
  const cluster = new BoundedCluster([...urls], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnect,
    clusterNodeRetryStrategy: reconnect,
    slotsRefreshTimeout: CONNECT_TIMEOUT,
    // 0: a command whose connection was closed is not sent again.
    retryDelayOnFailover: 0,
    maxRedirections: 8,
    redisOptions: {
      ...failFast,
      socketTimeout: SILENCE, // its nodes are ioredis' own
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  });
  cluster.timeoutMs = timeoutMs;
  cluster.lookForNodesEvery(LOOK_FOR_NODES_EVERY);
  return cluster;
}

type Send = (...args: Parameters<Redis['sendCommand']>) => unknown;

/**
 * Bounds a command in time, as ioredis' own `commandTimeout` does, but gives none up before its connection has been read
 * once more: after the process itself was busy for long, timers run before the answers that came meanwhile. A request
 * would be refused that Redis had counted.
 */
function sendBounded(
  [command, stream]: Parameters<Redis['sendCommand']>,
  timeoutMs: number,
  send: Send,
  onGivenUp?: (afterMs: number) => void,
): unknown {
  const giveUp = (): void => {
    if (command.isSettled) return;
    command.reject(new Error(`Redis did not answer within ${timeoutMs} ms`));
    onGivenUp?.(timeoutMs);
  };
  const timer = setTimeout(() => {
    if (!command.isSettled) setImmediate(giveUp);
  }, timeoutMs);
  timer.unref();
  return send(command, stream);
}

class BoundedRedis extends Redis {
  timeoutMs: number | undefined;
  report: OperationReport | undefined;
  batched = false;
  /** What this connection had read when a command was last given up, and since when it has read no more. */
  #bytesRead: number | undefined;
  #silentSince = 0;

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    // What ioredis asks before a connection is ready has its own time: a connection may be swallowed when it is made.
    const limit = this.status === 'ready' ? this.timeoutMs : SILENCE;
    void reported(args[0].promise, this.report);
    if (this.batched && this.status === 'ready') this.#holdWrites();
    if (limit === undefined) return super.sendCommand(...args);
    return sendBounded(args, limit, (...bounded) => super.sendCommand(...bounded), this.#onGivenUp);
  }

  #holdWrites(): void {
    const { stream } = this;
    if (stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  /**
   * Gives the connection up as well, once nothing at all has come on it for long. In place of ioredis' `socketTimeout`,
   * whose timer, too, runs before the answers that came while the process was busy.
   */
  readonly #onGivenUp = (afterMs: number): void => {
    const { bytesRead } = this.stream;
    const now = performance.now();
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead;
      this.#silentSince = now - (afterMs >= SILENCE ? afterMs : 0);
    }
    if (now - this.#silentSince < SILENCE) return;
    this.#bytesRead = undefined;
    giveUp(this, `nothing came from Redis for ${SILENCE} ms`);
  };
}

class BoundedCluster extends Cluster {
  timeoutMs: number | undefined;
  report: OperationReport | undefined;
  #looking: NodeJS.Timeout | undefined;

  /**
   * In place of `slotsRefreshInterval`: a look that is under way when ioredis disconnects starts its timer again, for
   * ever, and the process never ends.
   */
  lookForNodesEvery(ms: number): void {
    this.#looking = setInterval(() => {
      if (this.status === 'ready') this.refreshSlotsCache();
    }, ms).unref();
  }

  override disconnect(reconnect = false): void {
    if (!reconnect) clearInterval(this.#looking);
    super.disconnect(reconnect);
  }

  override sendCommand(...[command, stream, node]: Parameters<Cluster['sendCommand']>): unknown {
    void reported(command.promise, this.report);
    if (this.timeoutMs === undefined) return super.sendCommand(command, stream, node);
    return sendBounded([command, stream], this.timeoutMs, () => super.sendCommand(command, stream, node));
  }
}

/**
 * Opens a connection to subscribe on. In a cluster messages reach every node, so any of those that REDIS_URL names will
 * do; it is the next one's turn when one goes away.
 */
export function openSubscriber({ urls }: RedisAddress, onError: (error: Error) => void): Redis {
  const redis = openSingle(urls, DEFAULT_REDIS_TIMEOUT);
  redis.on('error', onError);
  let turn = 0;
  redis.on('close', () => {
    // The connector reads these options each time that it connects.
    const { hostname, port } = new URL(urls[(turn += 1) % urls.length] ?? '');
    redis.options.host = hostname;
    redis.options.port = Number(port || '6379');
  });
  return redis;
}

/** Breaks a connection on which answers are missing, so that a new one is made. A cluster does so by itself. */
export function breakIfSilent(redis: RedisClient, silentForMs: number): void {
  if (redis instanceof Redis && silentForMs >= SILENCE)
    giveUp(redis, `Redis has owed an answer for ${SILENCE} ms`);
}

/** Makes a new connection in place of one that is of no use. That counts as a failure of it, which ioredis tells nobody. */
export function giveUp(redis: Redis, reason: string): void {
  const isOpen = redis.status === 'ready' || redis.status === 'connect';
  if (isOpen) redis.emit('error', new Error(`${reason}: the connection is given up`));
  redis.disconnect(true);
}

/** Told each time that a connection to Redis, or to any node of the cluster, can be used (again). */
export function onConnected(redis: RedisClient, listener: () => void): void {
  redis.on('ready', listener);
  if (redis instanceof Redis) return;
  const watch = (node: Redis): void => void node.on('ready', listener);
  redis.on('+node', watch);
}

/** For people: where it is, without the password. */
export function describeRedis({ urls, isCluster }: RedisAddress): string {
  const hosts = urls.map((url) => {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || '6379'}${pathname === '/' ? '' : pathname}`;
  });
  const isTls = urls.some((url) => url.startsWith('rediss:'));
  return `Redis${isCluster ? ' Cluster' : ''} at ${hosts.join(', ')}${isTls ? ' (TLS)' : ''}`;
}
