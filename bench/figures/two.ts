import { availableParallelism } from 'node:os';
import { startBalancer } from '../../test/support/cluster/balancer.ts';
import type { Backend } from '../../test/support/cluster/haproxy-config.ts';
import { answerBytes, contenderOf, type Contender } from '../contenders.ts';
import { cpuMs } from '../proc.ts';
import { measureSlice, undisturbed, type Slice } from '../measure.ts';
import { startRig } from '../rig.ts';
import { selectRow } from '../rows.ts';
import { pairwise, spreadOf } from '../statistics.ts';
import type { Figure } from './figure.ts';
import type { Bench } from './figures.ts';

const ROUNDS = 3;

/**
 * Two gateways behind HAProxy, as deploy/ ships it, against one behind another: a pair of slices a round, each of which
 * ends with Redis, the ledger and the number of answers agreeing.
 *
 * On two cores the second gateway has none of its own, and requests a second say how much the load and the stores leave
 * it. What the gateways take for each request says what two would serve on cores of their own: twice as much, less what
 * one costs the other.
 */
export async function twoFigures({ context, pinning, load }: Bench): Promise<Figure[]> {
  const rig = await startRig({ context, pinning });
  // With two cores the second gateway shares its own with the load and the stores.
  const second = availableParallelism() > 2 ? '2' : '1';
  const other = await rig.startGateway(
    'gateway2',
    pinning.underTest.length > 0 ? ['taskset', '-c', second] : [],
  );
  context.closers.add('the second gateway', () => other.stop());
  const row = selectRow('json');
  const members: Backend[] = [
    { ...rig.gateway, name: 'gateway1' },
    { ...other, name: 'gateway2' },
  ];
  const sides = [];
  for (const count of [1, 2]) {
    const balancer = await startBalancer(members.slice(0, count), { checkEvery: 1_000 });
    context.closers.add('HAProxy', () => balancer.stop());
    const contender = through(balancer.url, contenderOf(rig, row, 'gateway'));
    const what = { row, contender, round: 0, answerBytes: await answerBytes(contender.request) };
    await undisturbed(() => measureSlice(rig, load, { ...what, seconds: 1 }));
    sides.push({ what, slices: [] as Slice[], cpu: [] as number[] });
  }
  const bothCpuMs = (): number => (cpuMs(rig.gateway.pid) ?? NaN) + (cpuMs(other.pid) ?? NaN);
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const { what, slices, cpu } of sides) {
      let before = bothCpuMs();
      const slice = await undisturbed(() => {
        before = bothCpuMs();
        return measureSlice(rig, load, { ...what, round });
      });
      slices.push(slice);
      cpu.push(((bothCpuMs() - before) / slice.answered) * 1_000);
    }
  }
  const [cpuOfOne = [], cpuOfTwo = []] = sides.map(({ cpu }) => cpu);
  const [one = [], two = []] = sides.map(({ slices }) => slices.map(({ perSecond }) => perSecond));
  const where = second === '1' ? ', the second beside load and stores: a lower bound' : '';
  return [
    { what: 'one gateway behind HAProxy: requests', unit: '/s', value: spreadOf(one) },
    { what: 'two gateways: requests', unit: '/s', value: spreadOf(two) },
    {
      what: `two against one (promised: 1.6)${where}`,
      unit: '×',
      value: pairwise(two, one, (a, b) => a / b),
    },
    { what: 'one gateway: CPU for each request', unit: 'µs', value: spreadOf(cpuOfOne) },
    { what: 'two gateways: CPU of both for each request', unit: 'µs', value: spreadOf(cpuOfTwo) },
    {
      what: 'two against one on cores of their own, by CPU (promised: 1.6)',
      unit: '×',
      value: pairwise(cpuOfTwo, cpuOfOne, (a, b) => (2 * b) / a),
    },
  ];
}

function through(balancerUrl: string, { request, ...contender }: Contender): Contender {
  const { pathname } = new URL(request.url);
  return { ...contender, request: { ...request, url: balancerUrl + pathname } };
}
