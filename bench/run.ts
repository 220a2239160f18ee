import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Closers } from '../test/support/servers/closers.ts';
import { newRunId, removeTemporaryFolders, type RunContext } from '../test/support/servers/run-context.ts';
import { answerBytes, findContender } from './contenders.ts';
import { chartOf } from './chart.ts';
import { compareCheckouts } from './compare.ts';
import { describeMachine, pinCores } from './cores.ts';
import { figureRows, figureRowsHelp, printFigures } from './figures/figures.ts';
import { autocannonLoad } from './load/autocannon.ts';
import type { LoadGenerator } from './load/load.ts';
import { findWrk } from './load/wrk.ts';
import { measureSlice, undisturbed, type Slice } from './measure.ts';
import { printProfile } from './profile.ts';
import { envelopeRatio, summarize, tableOf, type RowResult } from './report.ts';
import { resultsFolder, updateResults } from './results-file.ts';
import { startRig, type Rig } from './rig.ts';
import { spreadOf } from './statistics.ts';
import { rows, selectRow, type Row } from './rows.ts';
import { printSizing } from './sizing/sizing.ts';
import { printState } from './state/state.ts';

const HELP = `npm run bench [-- rows…]        measures these rows, all of them by default: ${rows.map(({ name }) => name).join(', ')}
npm run bench -- profile [row]  profiles the gateway under one row's load: where its CPU time goes
npm run bench -- compare <folder> [row]
                                this checkout's gateway against another's, such as a git worktree
npm run bench -- state [quick | copy <database>]
                                a million licenses, ten million rows of usage: what does not get slower
${figureRowsHelp()}
npm run bench -- sizing         what a license, a request and a stream cost in each part: docs/operations.md

Starts everything itself, on this machine alone: PostgreSQL and Redis (TEST_DATABASE_URL and TEST_REDIS_URL, or the
programs of this machine, or Docker), the provider simulator, a bare http-proxy relay, the gateway, nginx and HAProxy
where they are installed, Portkey's gateway from npm, and the load (wrk where it is installed, autocannon otherwise).`;

/** V8 goes on optimizing for some ten thousands of requests; nginx needs none of it. */
const WARM_UP_SECONDS = 5;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const closers = new Closers();
  const context: RunContext = { runId: newRunId(), env: process.env, closers, say: console.error };
  process.once('exit', () => removeTemporaryFolders(context.runId));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void closers.closeAll(console.error).then(() => process.exit(130)));
  }
  try {
    await readJob(args, findWrk() ?? autocannonLoad)(context);
    return 0;
  } catch (error) {
    if (!closers.isClosing) console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    if (!closers.isClosing) await closers.closeAll(console.error);
  }
}

/** What the arguments ask for. @throws Error for a row that does not exist */
function readJob(args: readonly string[], load: LoadGenerator): (context: RunContext) => Promise<void> {
  const [first, ...rest] = args;
  const figureRow = figureRows.find(({ name }) => name === first);
  if (figureRow !== undefined) return (context) => printFigures(figureRow, { context, load, options: rest });
  if (first === 'sizing') return (context) => printSizing(context, load);
  if (first === 'state') return (context) => printState(context, rest);
  if (first === 'profile') {
    const row = selectRow(rest[0] ?? 'json');
    return (context) => printProfile(row, context, load);
  }
  if (first === 'compare') {
    const [folder, name = 'json'] = rest;
    const row = selectRow(name);
    if (folder === undefined) throw new Error('compare takes the folder of another checkout');
    return (context) => compareCheckouts(row, folder, context, load);
  }
  const selected = args.length === 0 ? rows : args.map(selectRow);
  return (context) => runRows(selected, context, load);
}

async function runRows(selected: readonly Row[], context: RunContext, load: LoadGenerator): Promise<void> {
  const began = new Date();
  const pinning = pinCores();
  const rig = await startRig({ context, pinning, withPeers: true });
  const setup = {
    machine: describeMachine(),
    node: process.version,
    load: load.name,
    cores: pinning.description,
    stores: rig.stores.description,
  };
  for (const [name, value] of Object.entries(setup)) console.error(`${name}: ${value}`);
  const results: RowResult[] = [];
  for (const row of selected) results.push(await runRow(rig, row, load));
  console.log(tableOf(results));
  console.log(
    'Medians of the rounds, below them the least and the most; ratios and differences within each round.',
  );
  if (pinning.underTest.length > 0) console.log(disturbance(results));
  const file = writeResults({ at: began.toISOString(), ...setup }, results);
  console.log(`${file}, after ${Math.round((Date.now() - began.getTime()) / 1_000)} s`);
}

/** How far the figures are to be trusted: core 0 should have been the contenders' alone. */
function disturbance(results: readonly RowResult[]): string {
  const taken = spreadOf(results.flatMap(({ slices }) => slices.map(({ disturbed }) => disturbed ?? 0)));
  const percent = (part = 0): string => `${Math.round(part * 100)} %`;
  return `Other programs took ${percent(taken?.median)} of core 0 meanwhile, at most ${percent(taken?.max)}.`;
}

/** Everybody in turn, round after round, so that what disturbs the machine disturbs all of them alike. */
async function runRow(rig: Rig, row: Row, load: LoadGenerator): Promise<RowResult> {
  console.error(`${row.name}: ${row.title}, ${row.rounds} rounds`);
  const contenders = [];
  for (const name of row.contenders) {
    const contender = findContender(rig, row, name);
    if (contender === undefined) continue;
    const what = { row, contender, round: 0, answerBytes: await answerBytes(contender.request) };
    const seconds = WARM_UP_SECONDS + (row.events === undefined ? 0 : 1);
    await undisturbed(() => measureSlice(rig, load, { ...what, seconds }));
    contenders.push(what);
  }
  const slices: Slice[] = [];
  for (let round = 1; round <= row.rounds; round += 1) {
    for (const what of contenders)
      slices.push(await undisturbed(() => measureSlice(rig, load, { ...what, round })));
  }
  return { row, slices };
}

function writeResults(
  setup: { at: string; node: string; load: string },
  results: readonly RowResult[],
): string {
  const rowsOut = results.map((result) => ({
    name: result.row.name,
    title: result.row.title,
    envelopeCpuRatio: envelopeRatio(result),
    summaries: summarize(result),
    slices: result.slices,
  }));
  const { at, node, load } = setup;
  writeFileSync(
    join(resultsFolder(), 'latest.svg'),
    `${chartOf(results, `${at.slice(0, 10)}, Node.js ${node}, ${load}`)}\n`,
  );
  return updateResults({ ...setup, rows: rowsOut });
}
