import { setTimeout as sleep } from 'node:timers/promises';
import { answerBytes, contenderOf } from '../contenders.ts';
import { measureSlice, undisturbed } from '../measure.ts';
import { startRig, type Rig } from '../rig.ts';
import { selectRow } from '../rows.ts';
import { percentile, spreadOf } from '../statistics.ts';
import { admitAll, callsOf, openCounting } from './counting.ts';
import type { Figure } from './figure.ts';
import type { Bench } from './figures.ts';
import { readMetric } from './metrics.ts';

const ROUNDS = 3;
const EVENTS = 10_000;
/** Sums of few licenses are few rows to write; those of many are a row for each event. */
const LICENSES = [100, 10_000];
const LAG_SECONDS = 5;
const SAMPLE_EVERY_MS = 50;

/** How fast events go from the streams in Redis into PostgreSQL, and how old they get under load. */
export async function ledgerFigures(bench: Bench): Promise<Figure[]> {
  return [...(await measureFolding(bench)), ...(await measureLag(bench))];
}

async function measureFolding({ context }: Bench): Promise<Figure[]> {
  const counting = await openCounting(context);
  const { admission, fold } = counting;
  const figures: Figure[] = [];
  let admitted = 0;
  for (const licenses of LICENSES) {
    const calls = callsOf(licenses);
    const perSecond: number[] = [];
    const ownMicros: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let events = 0; events < EVENTS; events += licenses)
        admitted += (await admitAll(admission, calls.values(), 64)).length;
      const writtenBefore = fold.written;
      const cpuBefore = process.cpuUsage();
      const began = performance.now();
      await fold.round();
      const seconds = (performance.now() - began) / 1_000;
      const cpu = process.cpuUsage(cpuBefore);
      const folded = fold.written - writtenBefore;
      perSecond.push(folded / seconds);
      ownMicros.push((cpu.user + cpu.system) / folded);
    }
    const of = `${EVENTS.toLocaleString('en')} events of ${licenses.toLocaleString('en')} licenses`;
    figures.push(
      { what: `${of}: folded`, unit: '/s', value: spreadOf(perSecond) },
      { what: `${of}: CPU of the folding process, each`, unit: 'µs', value: spreadOf(ownMicros) },
    );
  }
  const held = await counting.booked();
  if (held !== admitted) throw new Error(`${admitted} requests were admitted, the ledger holds ${held}`);
  return figures;
}

/** The gateway's own figure, which alerts go by. */
async function measureLag({ context, pinning, load }: Bench): Promise<Figure[]> {
  const rig = await startRig({ context, pinning });
  const row = selectRow('json');
  const contender = contenderOf(rig, row, 'gateway');
  const what = { row, contender, round: 0, answerBytes: await answerBytes(contender.request) };
  await undisturbed(() => measureSlice(rig, load, { ...what, seconds: 1 }));
  const sampling = new AbortController();
  const lags = sampleLag(rig, sampling.signal);
  const loading = undisturbed(() => measureSlice(rig, load, { ...what, seconds: LAG_SECONDS }));
  const [slice, seconds] = await Promise.all([loading.finally(() => sampling.abort()), lags]);
  const under = `${row.connections} connections of JSON`;
  const lag = (percent: number) => spreadOf([percentile(seconds, percent) * 1_000]);
  return [
    { what: `${under}: requests`, unit: '/s', value: spreadOf([slice.perSecond]) },
    { what: `${under}: age of the oldest event not in the ledger, p50`, unit: 'ms', value: lag(50) },
    { what: `${under}: the same, most (promised: 2,000)`, unit: 'ms', value: lag(100) },
  ];
}

async function sampleLag({ gateway }: Rig, signal: AbortSignal): Promise<number[]> {
  const samples: number[] = [];
  while (!signal.aborted) {
    samples.push(await readMetric(gateway, 'licensify_ledger_lag_seconds'));
    await sleep(SAMPLE_EVERY_MS);
  }
  return samples;
}
