import { cpuMs } from '../proc.ts';
import { post } from '../device.ts';
import { startRig, type Rig } from '../rig.ts';
import { percentile, spreadOf } from '../statistics.ts';
import type { Figure } from './figure.ts';
import type { Bench } from './figures.ts';

const ROUNDS = 3;
const LICENSES = 200;
const AT_ONCE = [1, 16];

interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMs: number | undefined;
}

/** Devices that are activated over HTTP: new ones, and the same again, whose keys are replaced. Each license has one. */
export async function activateFigures({ context, pinning }: Bench): Promise<Figure[]> {
  const rig = await startRig({ context, pinning });
  await activateAll(rig, await makeLicenses(rig), 16); // warms up
  const figures: Figure[] = [];
  for (const atOnce of AT_ONCE) {
    const fresh: Round[] = [];
    const again: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const keys = await makeLicenses(rig);
      fresh.push(await activateAll(rig, keys, atOnce));
      again.push(await activateAll(rig, keys, atOnce));
    }
    figures.push(...figuresOf(`a new device, ${atOnce} at once`, fresh));
    figures.push(...figuresOf(`the same again, ${atOnce} at once`, again));
  }
  return figures;
}

function figuresOf(what: string, rounds: readonly Round[]): Figure[] {
  const spread = (of: (round: Round) => number | undefined) =>
    spreadOf(rounds.map(of).filter((value) => value !== undefined));
  return [
    { what: `${what}: activations`, unit: '/s', value: spread(({ perSecond }) => perSecond) },
    { what: `${what}: p50`, unit: 'ms', value: spread(({ p50 }) => p50) },
    { what: `${what}: p99`, unit: 'ms', value: spread(({ p99 }) => p99) },
    { what: `${what}: CPU of the gateway, each`, unit: 'ms', value: spread((round) => round.cpuMs) },
  ];
}

/** Returns their keys. */
async function makeLicenses({ gateway, adminToken }: Rig): Promise<string[]> {
  const numbers = Array.from({ length: LICENSES }, (_, index) => index);
  const license = { name: 'Bench', tier: 'pro' };
  return inTurns(numbers, 16, async (number) => {
    const made = await post<{ license_key: string }>(
      `${gateway.url}/admin/v1/licenses`,
      { ...license, email: `bench${number}@example.com` },
      { authorization: `Bearer ${adminToken}` },
    );
    return made.license_key;
  });
}

async function activateAll({ gateway }: Rig, keys: readonly string[], atOnce: number): Promise<Round> {
  const cpuBefore = cpuMs(gateway.pid);
  const began = performance.now();
  const times = await inTurns(keys, atOnce, async (key) => {
    const sent = performance.now();
    await post(`${gateway.url}/activate`, { license_key: key, hardware_id: 'bench' });
    return performance.now() - sent;
  });
  const seconds = (performance.now() - began) / 1_000;
  const cpuAfter = cpuMs(gateway.pid);
  return {
    perSecond: keys.length / seconds,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    cpuMs:
      cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / keys.length,
  };
}

async function inTurns<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  call: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const waiting = items.values();
  const results: Result[] = [];
  const work = async (): Promise<void> => {
    for (const item of waiting) results.push(await call(item));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}
