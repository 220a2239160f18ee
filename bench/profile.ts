import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder, type RunContext } from '../test/support/servers/run-context.ts';
import { answerBytes, contenderOf } from './contenders.ts';
import { pinCores } from './cores.ts';
import { sharesOf, type CpuProfile, type Share } from './cpu-profile.ts';
import type { LoadGenerator } from './load/load.ts';
import { measureSlice, undisturbed } from './measure.ts';
import { startRig } from './rig.ts';
import type { Row } from './rows.ts';

const SECONDS = 10;
const SAMPLE_EVERY_MICROS = 500;
const FUNCTIONS_SHOWN = 45;

/** Profiles the gateway under a row's load and prints, in microseconds for each request, where the time goes. */
export async function printProfile(row: Row, context: RunContext, load: LoadGenerator): Promise<void> {
  const folder = await makeTemporaryFolder(context.runId, 'profile');
  const nodeArguments = [
    '--cpu-prof',
    `--cpu-prof-dir=${folder}`,
    `--cpu-prof-interval=${SAMPLE_EVERY_MICROS}`,
  ];
  const rig = await startRig({ context, pinning: pinCores(), nodeArguments });
  const contender = contenderOf(rig, row, 'gateway');
  const what = { row, contender, round: 0, answerBytes: await answerBytes(contender.request) };
  await undisturbed(() => measureSlice(rig, load, { ...what, seconds: 2 }));
  let from = micros();
  const slice = await undisturbed(() => {
    from = micros();
    return measureSlice(rig, load, { ...what, seconds: SECONDS });
  });
  const to = micros();
  await rig.gateway.stop();
  const [file] = globSync(join(folder, '*.cpuprofile'));
  if (file === undefined) throw new Error('the gateway left no profile');
  const shares = sharesOf(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, from, to);
  const perRequest = (sum: number): string => (sum / slice.answered).toFixed(1).padStart(7);
  const print = (title: string, list: readonly Share[], most = 25): void => {
    console.log(`\n${title} (µs for each request)`);
    for (const [name, sum] of list.slice(0, most)) console.log(`${perRequest(sum)}  ${name}`);
  };
  console.log(`${slice.answered} requests, ${perRequest(shares.total).trim()} µs each, profiler included`);
  print('By owner of the running function', shares.byOwner);
  print("By caller: Node's and V8's own functions count for who called them", shares.byCaller);
  print('By function, own time', shares.byFunction, FUNCTIONS_SHOWN);
}

function micros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
