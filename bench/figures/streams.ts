import { setTimeout as sleep } from 'node:timers/promises';
import { contenderOf, type Contender } from '../contenders.ts';
import type { LoadRequest } from '../load/load.ts';
import { readStream, type Manner, type StreamResult } from '../load/streams.ts';
import { waitUntilBooked } from '../measure.ts';
import { cpuMs, residentMb } from '../proc.ts';
import { startRig } from '../rig.ts';
import { selectRow } from '../rows.ts';
import { pairwise, spreadOf } from '../statistics.ts';
import type { Figure } from './figure.ts';
import type { Bench } from './figures.ts';

const STREAMS = 1_000;
const FEW = 100;
const ROUNDS = 3;
const SAMPLE_EVERY_MS = 100;
/** Booking is part of the work; the ledger promises 2 s. */
const BOOKED_WITHIN_MS = 2_500;
/** How long a stream may be silent before its client gives it up: more than a busy machine takes. */
const PATIENCE_MS = 8_000;
/** Of ten streams with `mixed`; the others read. */
const MIXED: readonly Manner[] = ['reads slowly', 'leaves', 'provider dies'];

interface Burst {
  readonly cpuMicros: number | undefined;
  /** The most that was resident meanwhile, in MB. */
  readonly residentMb: number;
  readonly seconds: number;
}

/** A thousand streams at once, through the bare relay and the gateway in turn; `mixed`: three of ten are no good ones. */
export async function streamsFigures({ context, pinning, options }: Bench): Promise<Figure[]> {
  const isMixed = options.includes('mixed');
  const rig = await startRig({ context, pinning });
  const row = selectRow('stream');
  const whole = await readStream(contenderOf(rig, row, 'direct').request, 'reads');
  const sides = (['bare', 'gateway'] as const).map((name) => {
    return { contender: contenderOf(rig, row, name), bursts: [] as Burst[], few: 0 };
  });
  for (const side of sides)
    side.few = (await burst(side.contender, { streams: FEW, isMixed, whole })).residentMb;
  await waitUntilBooked(rig, FEW);
  const before = await rig.booked();
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const { contender, bursts } of sides) {
      console.error(`round ${round} of ${ROUNDS}, ${contender.name}`);
      bursts.push(await burst(contender, { streams: STREAMS, isMixed, whole }));
    }
  }
  await waitUntilBooked(rig, before + ROUNDS * STREAMS);
  const booked = (await rig.booked()) - before;
  if (booked !== ROUNDS * STREAMS)
    throw new Error(`the ledger holds ${booked} streams of ${ROUNDS * STREAMS}`);
  const cpu = sides.map(({ bursts }) => bursts.map(({ cpuMicros }) => cpuMicros));
  return [
    ...sides.flatMap(({ contender, bursts, few }) => figuresOf(contender.name, bursts, few)),
    {
      what: 'CPU for each event, gateway against bare (promised: 1.2)',
      unit: '×',
      value: pairwise(cpu[1] ?? [], cpu[0] ?? [], (a, b) => a / b),
    },
  ];
}

function figuresOf(name: string, bursts: readonly Burst[], few: number): Figure[] {
  const cpu = bursts.map(({ cpuMicros }) => cpuMicros).filter((micros) => micros !== undefined);
  // What a process has once taken, it seldom gives back: only the first burst tells.
  const memory = bursts.slice(0, 1).map((first) => ((first.residentMb - few) * 1_024) / (STREAMS - FEW));
  return [
    { what: `${name}: CPU for each event`, unit: 'µs', value: spreadOf(cpu) },
    { what: `${name}: memory for each stream, at most`, unit: 'kB', value: spreadOf(memory) },
    {
      what: `${name}: until all were over (1 if nothing is busy)`,
      unit: 's',
      value: spreadOf(bursts.map(({ seconds }) => seconds)),
    },
  ];
}

/** @throws Error if a stream did not end as it had to */
async function burst(
  { name, request, pid = 0 }: Contender,
  { streams, isMixed, whole }: { streams: number; isMixed: boolean; whole: StreamResult },
): Promise<Burst> {
  const sampling = new AbortController();
  const most = mostResident(pid, sampling.signal);
  const cpuBefore = cpuMs(pid);
  const began = performance.now();
  const results = await Promise.all(
    Array.from({ length: streams }, (_, number) => {
      const manner = (isMixed ? MIXED[number % 10] : undefined) ?? 'reads';
      return readStream(requestFor(request, manner), manner, { patienceMs: PATIENCE_MS });
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  sampling.abort();
  await sleep(BOOKED_WITHIN_MS);
  const cpuAfter = cpuMs(pid);
  // http-proxy leaves a client hanging whose provider has died; the gateway must not.
  const mayHang = (result: StreamResult): boolean =>
    name === 'bare' && result.manner === 'provider dies' && result.hung;
  checkStreams(
    results.filter((result) => !mayHang(result)),
    whole,
  );
  const events = results.reduce((sum, result) => sum + result.events, 0);
  const cpu = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
  return {
    cpuMicros: cpu === undefined ? undefined : (cpu * 1_000) / events,
    residentMb: await most,
    seconds,
  };
}

/** Events of slow readers are so large that no socket's buffer holds the stream for them. */
function requestFor({ headers, ...request }: LoadRequest, manner: Manner): LoadRequest {
  const more = {
    'reads slowly': ',chunk-bytes=16384',
    'provider dies': ',die=mid-stream',
    leaves: '',
    reads: '',
  };
  return {
    ...request,
    headers: { ...headers, 'x-simulate': `${headers['x-simulate'] ?? ''}${more[manner]}` },
  };
}

function checkStreams(results: readonly StreamResult[], whole: StreamResult): void {
  const wrong = results.filter((result) => !isRight(result, whole));
  const [first] = wrong;
  if (first === undefined) return;
  throw new Error(`${wrong.length} of ${results.length} streams went wrong, as ${JSON.stringify(first)}`);
}

function isRight({ manner, status, ended, hung, events, bytes }: StreamResult, whole: StreamResult): boolean {
  if (status !== 200 || hung) return false;
  if (manner === 'reads') return ended && bytes === whole.bytes;
  if (manner === 'reads slowly') return ended && events === whole.events;
  // A client that is late may find the whole answer in its first piece.
  if (manner === 'leaves') return events <= whole.events;
  return !ended && events < whole.events;
}

async function mostResident(pid: number, signal: AbortSignal): Promise<number> {
  let most = 0;
  while (!signal.aborted) {
    most = Math.max(most, residentMb(pid) ?? 0);
    await sleep(SAMPLE_EVERY_MS);
  }
  return most;
}
