import type { Call } from '../../src/quota/admission.ts';
import { cpuSeconds } from '../sizing/redis-figures.ts';
import { percentile, spreadOf } from '../statistics.ts';
import { admitAll, callsOf, openCounting, type Counting } from './counting.ts';
import type { Figure } from './figure.ts';
import type { Bench } from './figures.ts';

const LICENSES = 1_000;
const AT_ONCE = [1, 32, 256];
const ROUNDS = 3;
const ROUND_MS = 1_000;

interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly redisMicros: number;
  readonly ownMicros: number;
}

/** The decision that each request waits for, without HTTP around it; folded once, afterwards, to see that none was lost. */
export async function admissionFigures({ context }: Bench): Promise<Figure[]> {
  const counting = await openCounting(context);
  const calls = callsOf(LICENSES);
  let admitted = (await admitAll(counting.admission, calls.values(), 32)).length; // warms the counters
  const figures: Figure[] = [];
  for (const atOnce of AT_ONCE) {
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { decisions, ...measured } = await measureRound(counting, calls, atOnce);
      admitted += decisions;
      rounds.push(measured);
    }
    const figure = (what: string, unit: string, of: (round: Round) => number): Figure => {
      return { what: `${atOnce} at once: ${what}`, unit, value: spreadOf(rounds.map(of)) };
    };
    figures.push(
      figure('decisions', '/s', ({ perSecond }) => perSecond),
      figure('p50', 'ms', ({ p50 }) => p50),
      figure('p99', 'ms', ({ p99 }) => p99),
      figure('CPU of Redis, each', 'µs', ({ redisMicros }) => redisMicros),
      figure('CPU of the asking process, each', 'µs', ({ ownMicros }) => ownMicros),
    );
  }
  await counting.fold.round();
  const booked = await counting.booked();
  if (booked !== admitted) throw new Error(`${admitted} requests were admitted, the ledger holds ${booked}`);
  return figures;
}

async function measureRound(
  { admission, redis }: Counting,
  calls: readonly Call[],
  atOnce: number,
): Promise<Round & { decisions: number }> {
  const redisBefore = await cpuSeconds(redis);
  const ownBefore = process.cpuUsage();
  const began = performance.now();
  const times = await admitAll(admission, until(began + ROUND_MS, calls), atOnce);
  const seconds = (performance.now() - began) / 1_000;
  const own = process.cpuUsage(ownBefore);
  const decisions = times.length;
  return {
    decisions,
    perSecond: decisions / seconds,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    redisMicros: (((await cpuSeconds(redis)) - redisBefore) * 1e6) / decisions,
    ownMicros: (own.user + own.system) / decisions,
  };
}

/** Them in turn, until that moment. */
function* until(end: number, calls: readonly Call[]): Generator<Call, undefined> {
  for (;;) {
    for (const call of calls) {
      if (performance.now() >= end) return undefined;
      yield call;
    }
  }
}
