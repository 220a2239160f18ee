import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { hasFailed, longestDecision, secondsOfErrors, served, type Answer } from './answers.ts';
import { countsAtRest, type Counts } from './at-rest.ts';
import type { Cluster } from './cluster.ts';
import type { Customer } from './customers.ts';
import { carryOut, describeFault, planRound, type Fault, type FaultTimes } from './faults.ts';
import { startLoad, type Load } from './load.ts';

const CLIENTS = 12;
/** What each client waits between two requests. Milliseconds. */
const PAUSE = 25;
/** The load goes on for so long after the last repair, and until the limit is reached. Milliseconds. */
const AFTERWARDS = 2_000;
const LIMIT_REACHED_WITHIN = 20_000;
/** Contract §7.4. Milliseconds. */
const LOSS = 2_000;

/** What a round did to one license. */
export interface LicenseResult extends Counts {
  /** −1: unlimited. */
  readonly limit: number;
  /** 200s that clients saw. */
  readonly served: number;
  /** Those of them in the 2 s before Redis lost its data, if it did: what contract §7.4 lets go. */
  readonly mayBeLost: number;
}

/** What a round came to. */
export interface RoundResult {
  readonly faults: readonly Fault[];
  readonly answers: readonly Answer[];
  readonly licenses: readonly LicenseResult[];
  /** Requests under way, anywhere in the cluster, whenever a gateway was killed: what became of them is not known. */
  readonly underWayAtKills: number;
  /** Requests that were refused because the counters did not answer: Redis may have counted them all the same (B6). */
  readonly undecided: number;
  /** From the last repair to the end of the last failure; 0 if there was none after it. Milliseconds. */
  readonly errorsAfterRepair: number;
}

/**
 * One round on a cluster behind HAProxy: steady load of one unlimited license and of one whose limit is reached on the
 * way, the faults in its midst, then rest.
 */
export async function runRound(cluster: Cluster, random: SeededRandom, round: number): Promise<RoundResult> {
  const faults = planRound(random, round);
  const limits = [-1, 100 + random.int(150)];
  const customers: Customer[] = [];
  for (const limit of limits)
    customers.push(await cluster.customers.add({ daily_limit: limit, monthly_limit: -1 }, 2));
  const load = startLoad({
    clients: CLIENTS,
    pauseMs: () => PAUSE,
    next(number) {
      const { devices } = pickFrom(customers, number);
      return { url: cluster.url, device: pickFrom(devices, number >> 1) };
    },
  });
  const { times, underWayAtKills } = await breakUnderLoad(cluster, faults, load).finally(() => load.stop());
  const { answers } = load;
  const lostAt = times.filter((_, index) => faults[index]?.way === 'wiped').map(({ brokenAt }) => brokenAt);
  const licenses: LicenseResult[] = [];
  for (const [index, { licenseId }] of customers.entries()) {
    const own = answers.filter(({ licenseId: of }) => of === licenseId);
    const counts = await countsAtRest(cluster, licenseId);
    const mayBeLost = served(own.filter((answer) => lostAt.some((at) => isIn(LOSS, at, answer))));
    licenses.push({ ...counts, limit: limits[index] ?? NaN, served: served(own), mayBeLost });
  }
  const repairedAt = Math.max(...times.map(({ restoredAt }) => restoredAt));
  const lastFailure = Math.max(repairedAt, ...answers.filter(hasFailed).map(({ decidedAt }) => decidedAt));
  return {
    faults,
    answers,
    licenses,
    underWayAtKills,
    undecided: answers.filter(({ code }) => code === 'counters_unavailable').length,
    errorsAfterRepair: lastFailure - repairedAt,
  };
}

/** Carries the faults out, and lets the load go on for a while after the last one. */
async function breakUnderLoad(
  cluster: Cluster,
  faults: readonly Fault[],
  load: Load,
): Promise<{ times: FaultTimes[]; underWayAtKills: number }> {
  let underWayAtKills = 0;
  const carried = await Promise.allSettled(
    faults.map((fault) =>
      carryOut(cluster, fault, () => {
        if (fault.victim === 'gateway' && fault.way === 'killed') underWayAtKills += load.underWay();
      }),
    ),
  );
  const failed = carried.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const times = carried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  await sleep(AFTERWARDS);
  const isLimit = ({ status }: Answer): boolean => status === 429;
  await eventually(() => assert.ok(load.answers.some(isLimit), 'no limit was reached'), LIMIT_REACHED_WITHIN);
  return { times, underWayAtKills };
}

/** A round as a row: columns as `roundColumns` names them. */
export function roundRow({ faults, answers, licenses, ...rest }: RoundResult): string[] {
  const sum = (of: (license: LicenseResult) => number): string =>
    String(licenses.reduce((total, license) => total + of(license), 0));
  return [
    faults.map(describeFault).join(', '),
    String(answers.length),
    sum((license) => license.served),
    sum(({ ledger }) => ledger),
    sum(({ redis }) => redis),
    sum(({ provider }) => provider),
    sum(overAdmitted),
    String(answers.filter(hasFailed).length),
    `${longestDecision(answers).toFixed(0)} ms`,
    `${secondsOfErrors(answers).toFixed(1)} s`,
    `${(rest.errorsAfterRepair / 1_000).toFixed(1)} s`,
  ];
}

export const roundColumns = [
  'fault',
  'sent',
  '200s',
  'ledger',
  'Redis',
  'provider',
  'over',
  'failed',
  'longest decision',
  'errors for',
  'of it after the repair',
] as const;

/** What was done for a license beyond its limit. */
export function overAdmitted({ limit, served, provider, ledger }: LicenseResult): number {
  return limit < 0 ? 0 : Math.max(0, Math.max(served, provider, ledger) - limit);
}

function isIn(ms: number, before: number, { beganAt, decidedAt }: Answer): boolean {
  return decidedAt > before - ms && beganAt < before;
}

function pickFrom<T>(items: readonly T[], number: number): T {
  const item = items[number % items.length];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}
