import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { removeTemporaryFolders, type RunContext } from '../../test/support/servers/run-context.ts';
import { answerBytes, contenderOf } from '../contenders.ts';
import type { Pinning } from '../cores.ts';
import type { LoadGenerator } from '../load/load.ts';
import { measureSlice, undisturbed, type Slice } from '../measure.ts';
import { residentMb } from '../proc.ts';
import { startRig, type Rig } from '../rig.ts';
import { selectRow, type Row } from '../rows.ts';
import { median, pairwise, spreadOf, type Spread } from '../statistics.ts';
import { cpuSeconds } from './redis-figures.ts';
import type { Figure } from '../figures/figure.ts';

const JSON_ROUNDS = 7;
const STREAM_ROUNDS = 5;
const FEW = 100;
const MANY = 1_000;
/** Streams stay open for 6 s, as slow ones do: memory is asked for here, not speed. */
const SLOW_EVENTS = 30;
const SLOW_GAP_MS = 200;
const SLOW_SECONDS = 12;
const SAMPLE_EVERY_MS = 200;

interface Options {
  context: RunContext;
  pinning: Pinning;
  load: LoadGenerator;
  redisUrl: string;
}

/** What requests and open streams cost one gateway, and Redis behind it. */
export async function gatewayFigures({ context, pinning, load, redisUrl }: Options): Promise<Figure[]> {
  const rig = await startRig({ context, pinning });
  const started = residentMb(rig.gateway.pid);
  const redis = new Redis(redisUrl);
  context.closers.add('the connection to Redis', () => redis.quit());
  const json = await measureJson(rig, load, redis);
  const fast = await measureEvents(rig, load);
  await rig.gateway.stop();
  const memory = await measureStreams(context, pinning, load);
  const figure = (what: string, unit: string, value: Spread | undefined): Figure => ({ what, unit, value });
  return [
    figure(
      'gateway: memory when it has started',
      'MB',
      started === undefined ? undefined : spreadOf([started]),
    ),
    figure(
      'gateway: memory under 32 connections of JSON',
      'MB',
      spreadOf(present(json.slices, 'residentMb')),
    ),
    figure(
      'gateway: CPU of a JSON request',
      'ms',
      spreadOf(present(json.slices, 'cpuMsPerThousand').map((ms) => ms / 1_000)),
    ),
    figure(
      'gateway: so a whole core serves',
      'requests/s',
      spreadOf(present(json.slices, 'cpuMsPerThousand').map((ms) => 1e6 / ms)),
    ),
    figure(
      'gateway: requests a second beside everything else here',
      '/s',
      spreadOf(present(json.slices, 'perSecond')),
    ),
    figure('Redis: CPU of an admission, folding included', 'µs', spreadOf(json.redisMicros)),
    figure('gateway: CPU of an event of a stream', 'µs', spreadOf(present(fast, 'cpuMsPerThousand'))),
    figure('gateway: memory of an open stream', 'kB', memory),
  ];
}

async function measureJson(
  rig: Rig,
  load: LoadGenerator,
  redis: Redis,
): Promise<{ slices: Slice[]; redisMicros: number[] }> {
  const row = selectRow('json');
  const contender = contenderOf(rig, row, 'gateway');
  const what = { row, contender, answerBytes: await answerBytes(contender.request) };
  await undisturbed(() => measureSlice(rig, load, { ...what, round: 0, seconds: 2 }));
  const slices: Slice[] = [];
  const redisMicros: number[] = [];
  for (let round = 1; round <= JSON_ROUNDS; round += 1) {
    console.error(`JSON, round ${round} of ${JSON_ROUNDS}`);
    const before = await cpuSeconds(redis);
    const slice = await undisturbed(() => measureSlice(rig, load, { ...what, round }));
    slices.push(slice);
    if (slice.failures === 0) redisMicros.push((((await cpuSeconds(redis)) - before) * 1e6) / slice.answered);
  }
  return { slices, redisMicros };
}

async function measureEvents(rig: Rig, load: LoadGenerator): Promise<Slice[]> {
  const row = selectRow('stream');
  const contender = contenderOf(rig, row, 'gateway');
  const what = { row, contender, answerBytes: await answerBytes(contender.request) };
  const slices: Slice[] = [];
  for (let round = 1; round <= STREAM_ROUNDS; round += 1) {
    console.error(`streams, round ${round} of ${STREAM_ROUNDS}`);
    slices.push(await undisturbed(() => measureSlice(rig, load, { ...what, round })));
  }
  return slices;
}

/**
 * In kB: how much more memory many open streams take than a few, by the stream. Each round has a gateway of its own: what
 * one has once taken, it seldom gives back.
 */
async function measureStreams(
  context: RunContext,
  pinning: Pinning,
  load: LoadGenerator,
): Promise<Spread | undefined> {
  const few: (number | undefined)[] = [];
  const many: (number | undefined)[] = [];
  for (let round = 1; round <= STREAM_ROUNDS; round += 1) {
    console.error(`open streams, round ${round} of ${STREAM_ROUNDS}`);
    const own = { ...context, runId: `${context.runId}r${round}` };
    process.once('exit', () => removeTemporaryFolders(own.runId));
    const rig = await startRig({ context: own, pinning });
    few.push(await memoryWith(rig, load, FEW));
    many.push(await memoryWith(rig, load, MANY));
    await rig.gateway.stop();
  }
  return pairwise(many, few, (a, b) => ((a - b) * 1_024) / (MANY - FEW));
}

async function memoryWith(rig: Rig, load: LoadGenerator, connections: number): Promise<number | undefined> {
  const row: Row = { ...selectRow('stream'), connections, events: SLOW_EVENTS };
  const { request, ...rest } = contenderOf(rig, row, 'gateway');
  const simulate = `chunks=${SLOW_EVENTS},chunk-delay=${SLOW_GAP_MS}`;
  const contender = {
    ...rest,
    request: { ...request, headers: { ...request.headers, 'x-simulate': simulate } },
  };
  const what = { row, contender, round: 0, answerBytes: await answerBytes(contender.request) };
  const samples: number[] = [];
  const over = new AbortController();
  const sampling = sample(rig.gateway.pid, samples, over.signal);
  await undisturbed(() => measureSlice(rig, load, { ...what, seconds: SLOW_SECONDS }));
  over.abort();
  await sampling;
  // The second half of the load: all connections have been made by then.
  const whileOpen = samples.slice(0, Math.floor((SLOW_SECONDS * 1_000) / SAMPLE_EVERY_MS));
  const half = whileOpen.slice(Math.floor(whileOpen.length / 2));
  return half.length === 0 ? undefined : median(half);
}

async function sample(pid: number, samples: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const mb = residentMb(pid);
    if (mb !== undefined) samples.push(mb);
    await sleep(SAMPLE_EVERY_MS);
  }
}

function present(
  slices: readonly Slice[],
  figure: 'residentMb' | 'cpuMsPerThousand' | 'perSecond',
): number[] {
  return slices.map((slice) => slice[figure]).filter((value) => value !== undefined);
}
