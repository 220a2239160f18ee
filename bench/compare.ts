import { removeTemporaryFolders, type RunContext } from '../test/support/servers/run-context.ts';
import { answerBytes, contenderOf } from './contenders.ts';
import { pinCores } from './cores.ts';
import type { LoadGenerator } from './load/load.ts';
import { measureSlice, undisturbed, type Slice } from './measure.ts';
import { startRig } from './rig.ts';
import type { Row } from './rows.ts';
import { pairwise, percentile, spreadOf, type Spread } from './statistics.ts';

/** More of them where the machine is busy. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 20);
const SLICE_SECONDS = 1;

/**
 * Measures the gateways of two checkouts against each other: many short slices in turn, since what a change gives is
 * mostly less than what a busy machine takes. Each has stores and a simulator of its own.
 */
export async function compareCheckouts(
  row: Row,
  other: string,
  context: RunContext,
  load: LoadGenerator,
): Promise<void> {
  const pinning = pinCores();
  const sides = [];
  for (const [name, checkout] of [
    ['this', undefined],
    ['other', other],
  ] as const) {
    // A database to copy, for this side alone, too: whether anything costs more where there is more of it.
    const { BENCH_DATABASE_TEMPLATE: template, ...env } = context.env;
    const ofSide = name === 'this' && template !== undefined ? { BENCH_DATABASE_TEMPLATE: template } : {};
    const own = { ...context, runId: `${context.runId}${name}`, env: { ...env, ...ofSide } };
    process.once('exit', () => removeTemporaryFolders(own.runId));
    // Options of node for this side alone, to see what they give: BENCH_NODE_ARGUMENTS=--max-semi-space-size=64
    const nodeArguments =
      name === 'this' ? (process.env.BENCH_NODE_ARGUMENTS ?? '').split(' ').filter(Boolean) : [];
    const rig = await startRig({
      context: own,
      pinning,
      nodeArguments,
      ...(checkout !== undefined && { checkout }),
    });
    const contender = contenderOf(rig, row, 'gateway');
    const what = { row, contender, round: 0, answerBytes: await answerBytes(contender.request) };
    await undisturbed(() => measureSlice(rig, load, { ...what, seconds: 2 }));
    sides.push({ rig, what, slices: [] as Slice[] });
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    // Each goes first every other time.
    for (const { rig, what, slices } of round % 2 === 0 ? sides : sides.toReversed()) {
      const measure = () => measureSlice(rig, load, { ...what, round, seconds: SLICE_SECONDS });
      slices.push(await undisturbed(measure));
    }
  }
  const [ours = [], theirs = []] = sides.map(({ slices }) => slices);
  printComparison(ours, theirs);
}

type Figure = 'cpuMsPerThousand' | 'perSecond' | 'p50' | 'p99' | 'residentMb';

function printComparison(ours: readonly Slice[], theirs: readonly Slice[]): void {
  const figures: readonly [Figure, string][] = [
    ['cpuMsPerThousand', 'CPU ms/1,000'],
    ['perSecond', 'requests/s'],
    ['p50', 'p50 ms'],
    ['p99', 'p99 ms'],
    ['residentMb', 'MB'],
  ];
  for (const [figure, title] of figures) {
    const [our, their] = [ours, theirs].map((slices) => slices.map((slice) => slice[figure]));
    const ratio = pairwise(our ?? [], their ?? [], (a, b) => a / b);
    console.log(`${title.padEnd(13)} this ${shown(our)}  other ${shown(their)}  this/other ${range(ratio)}`);
  }
  console.log('Lower decile, then median (least–most).');
}

function shown(values: readonly (number | undefined)[] | undefined): string {
  const known = (values ?? []).filter((value) => value !== undefined);
  return known.length === 0 ? '–' : `${percentile(known, 10).toFixed(2)}, ${range(spreadOf(known))}`;
}

function range(spread: Spread | undefined): string {
  if (spread === undefined) return '–';
  return `${spread.median.toFixed(2)} (${spread.min.toFixed(2)}–${spread.max.toFixed(2)})`;
}
