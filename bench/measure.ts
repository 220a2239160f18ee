import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender } from './contenders.ts';
import type { LoadGenerator, LoadResult } from './load/load.ts';
import { coreBusyMs, cpuMs, residentMb } from './proc.ts';
import type { Rig } from './rig.ts';
import type { ContenderName, Row } from './rows.ts';

/** What one contender did in one round. */
export interface Slice {
  readonly contender: ContenderName;
  readonly round: number;
  readonly answered: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** For 1,000 requests; in rows of streams for 1,000 events. Undefined where nothing but the simulator worked. */
  readonly cpuMsPerThousand: number | undefined;
  /** The part of its core that the contender was busy. */
  readonly busy: number | undefined;
  /** The part of that core that other programs took meanwhile. */
  readonly disturbed: number | undefined;
  readonly residentMb: number | undefined;
  /** How often it was measured before, and requests failed. */
  readonly failures: number;
}

/** Requests of a slice failed: its figures mean nothing. On a machine that is busy otherwise this may happen. */
export class SliceFailed extends Error {
  override readonly name = 'SliceFailed';
}

const MAX_FAILURES = 2;

/** The ledger promises 2 s; beyond this the benchmark has found a bug. */
const BOOKING_LIMIT_MS = 10_000;

/** Sends load to a contender for a slice of a round and checks that nothing went wrong or uncounted. */
export async function measureSlice(
  rig: Rig,
  load: LoadGenerator,
  what: { row: Row; contender: Contender; round: number; answerBytes: number; seconds?: number },
): Promise<Slice> {
  const { row, contender, round } = what;
  const { pid, name } = contender;
  const options = { connections: row.connections, seconds: what.seconds ?? row.seconds };
  const before = contender.isCounted ? await settledCount(rig) : 0;
  const coreBefore = coreBusyMs(0);
  const cpuBefore = pid === undefined ? undefined : cpuMs(pid);
  const result = await load.run(contender.request, options);
  const own = difference(pid === undefined ? undefined : cpuMs(pid), cpuBefore);
  const all = difference(coreBusyMs(0), coreBefore);
  checkAnswers(rig, name, result);
  // Booking is part of the work: the clock stops when the ledger has it.
  if (contender.isCounted) await waitUntilBooked(rig, before + result.answered);
  const cpuAfter = pid === undefined ? undefined : cpuMs(pid);
  if (contender.isCounted) checkCount((await settledCount(rig)) - before, result.answered, row.connections);
  const cpu = difference(cpuAfter, cpuBefore);
  const units = row.events === undefined ? result.answered : row.events * (result.bytes / what.answerBytes);
  const milliseconds = result.seconds * 1_000;
  return {
    contender: name,
    round,
    answered: result.answered,
    perSecond: result.answered / result.seconds,
    p50: result.p50,
    p99: result.p99,
    cpuMsPerThousand: cpu === undefined ? undefined : (cpu / units) * 1_000,
    busy: own === undefined ? undefined : own / milliseconds,
    disturbed: all === undefined ? undefined : Math.max(0, all - (own ?? 0)) / milliseconds,
    residentMb: pid === undefined ? undefined : residentMb(pid),
    failures: 0,
  };
}

/** Repeats a slice whose requests failed; what fails again and again is no disturbance. */
export async function undisturbed(measure: () => Promise<Slice>): Promise<Slice> {
  for (let failures = 0; ; failures += 1) {
    try {
      return { ...(await measure()), failures };
    } catch (error) {
      if (!(error instanceof SliceFailed) || failures === MAX_FAILURES) throw error;
      console.error(`once more, since requests failed: ${error.message}`);
    }
  }
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}

function checkAnswers(rig: Rig, name: string, { answered, refused, broken }: LoadResult): void {
  if (answered > 0 && refused === 0 && broken === 0) return;
  const counts = `${answered} answers, ${refused} of them no success, ${broken} connections broken`;
  throw new SliceFailed(`${name}: ${counts}${rig.gateway.lastErrors()}`);
}

/** @throws Error if the ledger does not hold that many requests of the device's license in time */
export async function waitUntilBooked(rig: Rig, expected: number): Promise<void> {
  const deadline = Date.now() + BOOKING_LIMIT_MS;
  for (;;) {
    const booked = await rig.booked();
    if (booked >= expected) return;
    if (Date.now() > deadline) {
      throw new Error(`the ledger holds ${booked} requests, but ${expected} were answered`);
    }
    await sleep(100);
  }
}

/** What has been used, once the counters in Redis and the ledger in PostgreSQL agree on it to the request. */
export async function settledCount(rig: Rig): Promise<number> {
  const deadline = Date.now() + BOOKING_LIMIT_MS;
  for (;;) {
    const counted = await rig.device.counted();
    const booked = await rig.booked();
    if (counted === booked) return booked;
    if (Date.now() > deadline) {
      throw new Error(`the counters say that ${counted} requests were used, the ledger says ${booked}`);
    }
    await sleep(100);
  }
}

/** Each request that was answered counts once; those that were in flight when the load stopped may count. */
function checkCount(used: number, answered: number, connections: number): void {
  if (used >= answered && used <= answered + connections) return;
  throw new Error(`${used} requests were counted, ${answered} answered, at most ${connections} in flight`);
}
