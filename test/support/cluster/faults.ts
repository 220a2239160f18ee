import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '../seeded-random.ts';
import type { Cluster } from './cluster.ts';

/** Kinds of faults, in the order in which rounds have them alone. */
const KINDS = [
  { victim: 'gateway', way: 'killed' },
  { victim: 'Redis', way: 'killed' },
  { victim: 'PostgreSQL', way: 'killed' },
  { victim: 'Redis', way: 'wiped' },
  { victim: 'gateway', way: 'paused' },
  { victim: 'Redis', way: 'paused' },
  { victim: 'PostgreSQL', way: 'paused' },
] as const;

/** Something that breaks for a while. */
export interface Fault {
  readonly victim: (typeof KINDS)[number]['victim'];
  /** By SIGKILL and started again, with its data or, wiped, without; or by SIGSTOP and SIGCONT. */
  readonly way: (typeof KINDS)[number]['way'];
  /** Which of the gateways, from 0 on. */
  readonly gateway: number;
  /** From the beginning of the round on. Milliseconds. */
  readonly atMs: number;
  /** Until it is started again or goes on. Milliseconds. */
  readonly forMs: number;
}

/** When a fault began and when it was over. Times of `performance.now()`. */
export interface FaultTimes {
  readonly brokenAt: number;
  readonly restoredAt: number;
}

/**
 * The faults of a round. Each kind comes alone first, the kills before the pauses; after that rounds have two faults at
 * random times, which may overlap, of two different victims.
 */
export function planRound(random: SeededRandom, round: number): Fault[] {
  const fault = (kind: Pick<Fault, 'victim' | 'way'>): Fault => ({
    ...kind,
    gateway: random.int(4),
    atMs: 700 + random.int(1_000),
    forMs: 300 + random.int(1_200),
  });
  const single = KINDS[round];
  if (single !== undefined) return [fault(single)];
  const first = KINDS[random.int(KINDS.length)] ?? KINDS[0];
  const others = KINDS.filter(({ victim }) => victim !== first.victim);
  const second = others[random.int(others.length)] ?? first;
  return [fault(first), fault(second)];
}

/** For people: `Redis killed at 0.9 s for 0.7 s`. */
export function describeFault({ victim, way, gateway, atMs, forMs }: Fault): string {
  const who = victim === 'gateway' ? `gateway-${gateway + 1}` : victim;
  return `${who} ${way} at ${(atMs / 1_000).toFixed(1)} s for ${(forMs / 1_000).toFixed(1)} s`;
}

/** Carries a fault out, from the wait for its time to the end of the repair. @param broken told the moment it begins */
export async function carryOut(cluster: Cluster, fault: Fault, broken: () => void): Promise<FaultTimes> {
  const { stop, restore } = handlesOf(cluster, fault);
  await sleep(fault.atMs);
  const brokenAt = performance.now();
  broken();
  await stop();
  await sleep(fault.forMs);
  await restore();
  return { brokenAt, restoredAt: performance.now() };
}

interface Handles {
  stop: () => unknown;
  restore: () => unknown;
}

function handlesOf({ members, redis, postgres }: Cluster, { victim, way, gateway }: Fault): Handles {
  if (victim === 'gateway') {
    const member = members[gateway % members.length] ?? members[0];
    return way === 'killed'
      ? { stop: () => member.end('SIGKILL'), restore: () => member.start() }
      : { stop: () => member.pause(), restore: () => member.resume() };
  }
  const server = victim === 'Redis' ? redis : postgres;
  if (server === undefined) throw new Error(`the cluster has no ${victim} of its own to break`);
  if (way === 'paused') return { stop: () => server.pause(), restore: () => server.resume() };
  return {
    stop: () => server.kill(),
    restore: () => (way === 'wiped' ? redis?.restart({ empty: true }) : server.restart()),
  };
}
