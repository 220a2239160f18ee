import { startOwnHaproxy } from '../servers/own-haproxy.ts';
import { waitUntilReady } from '../servers/processes.ts';
import { haproxyConfig, type Backend, type BalancerTimes } from './haproxy-config.ts';
import { reservePorts } from './ports.ts';

/** A running HAProxy in front of a cluster. */
export interface Balancer {
  readonly url: string;
  /** Where it tells its health and metrics. */
  readonly internalUrl: string;
  /** How many connections to gateways were made so far, and how many requests went over one that was there. */
  connections(): Promise<{ made: number; reused: number }>;
  /** The requests that went wrong, as HAProxy tells them. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts HAProxy and waits until a gateway answers through it. */
export async function startBalancer(
  members: readonly Backend[],
  times: BalancerTimes = {},
): Promise<Balancer> {
  const [port = 0, internalPort = 0, statsPort = 0] = await reservePorts(3);
  const haproxy = await startOwnHaproxy(haproxyConfig({ port, internalPort, statsPort, members }, times));
  const url = `http://127.0.0.1:${port}`;
  try {
    const server = { isRunning: () => haproxy.isRunning(), logTail: () => '(see its log)' };
    await waitUntilReady(server, () => answers(url));
  } catch (error) {
    const log = await haproxy.log();
    await haproxy.stop();
    throw new Error(`HAProxy does not lead to a gateway:\n${log}`, { cause: error });
  }
  return {
    url,
    internalUrl: `http://127.0.0.1:${internalPort}`,
    connections: () => connections(`http://127.0.0.1:${statsPort}/stats;csv`),
    log: () => haproxy.log(),
    stop: () => haproxy.stop(),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/tiers`, { headers: { connection: 'close' } })).status === 200;
  } catch {
    return false;
  }
}

async function connections(statsUrl: string): Promise<{ made: number; reused: number }> {
  const csv = await (await fetch(statsUrl, { headers: { connection: 'close' } })).text();
  const [head = [], ...rows] = csv
    .replace('# ', '')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const gateways = rows.find(([proxy, server]) => proxy === 'gateways' && server === 'BACKEND') ?? [];
  const column = (name: string): number => Number(gateways[head.indexOf(name)]);
  return { made: column('connect'), reused: column('reuse') };
}
