import { availableParallelism } from 'node:os';
import { startBalancer } from '../../test/support/cluster/balancer.ts';
import type { Backend } from '../../test/support/cluster/haproxy-config.ts';
import { answerBytes, contenderOf, type Contender } from '../contenders.ts';
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
    sides.push({ what, slices: [] as Slice[] });
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const { what, slices } of sides)
      slices.push(await undisturbed(() => measureSlice(rig, load, { ...what, round })));
  }
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
  ];
}

function through(balancerUrl: string, { request, ...contender }: Contender): Contender {
  const { pathname } = new URL(request.url);
  return { ...contender, request: { ...request, url: balancerUrl + pathname } };
}
