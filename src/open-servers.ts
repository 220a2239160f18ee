import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Closers } from './closers.ts';
import type { Config } from './config.ts';
import type { Counting } from './counting.ts';
import { createInternalApp } from './http/internal.ts';
import { Readiness } from './http/readiness.ts';
import {
  createInternalServer,
  createPublicServer,
  listen,
  stopInternalServer,
  stopPublicServer,
} from './http/server.ts';
import type { Metrics } from './observe/metrics.ts';
import { DatabaseUnavailable, type Database } from './stores/database.ts';

/** A silent provider is answered for before its client's connection counts as idle. Milliseconds. */
const IDLE_MARGIN = 10_000;

interface ServerParts {
  config: Config;
  app: RequestListener;
  metrics: Metrics;
  database: Database;
  counting: Counting;
  closers: Closers;
}

/** Both listeners. Stopping goes the other way: readiness turns red, then the public one drains, then the internal one. */
export async function openServers(parts: ServerParts): Promise<{ url: string; internalUrl: string }> {
  const { config, closers, database, counting } = parts;
  const readiness = new Readiness([
    { problem: 'the database cannot be reached', check: () => answered(database) },
    { problem: 'the counters cannot be reached', check: () => counting.ping() },
  ]);
  const internal = createInternalServer(createInternalApp({ metrics: parts.metrics.exposition, readiness }));
  closers.add(() => stopInternalServer(internal));
  await listen(internal, { port: config.internalPort, host: config.host, variable: 'INTERNAL_PORT' });
  const open = createPublicServer(parts.app, config.upstreamTimeoutMs + IDLE_MARGIN);
  const times = { delayMs: config.shutdownDelayMs, drainMs: config.shutdownTimeoutMs };
  closers.add(() => stopPublicServer(open, times));
  closers.add(() => (readiness.stage = 'shutting down'));
  await listen(open.server, { port: config.port, host: config.host, variable: 'PORT' });
  readiness.stage = 'serving';
  return { url: urlOf(open.server, config.host), internalUrl: urlOf(internal, config.host) };
}

async function answered({ state }: Database): Promise<void> {
  if (!(await state.ask())) throw new DatabaseUnavailable('the database does not answer');
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
