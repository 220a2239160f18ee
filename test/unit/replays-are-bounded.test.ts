import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Replays, ReplaysUnavailable } from '../../src/licensing/proofs/replays.ts';
import { FakeClock } from '../support/fake-clock.ts';

const numbered = (number: number): Buffer => {
  const signature = Buffer.alloc(8);
  signature.writeUInt32BE(number);
  return signature;
};

it('without Redis half a million signatures are remembered; none is forgotten to make room for another', async () => {
  const clock = new FakeClock('2026-11-25T12:00:00Z');
  const replays = new Replays({ redis: undefined, prefix: 'test', clock });
  const isFirst = (number: number): Promise<boolean> =>
    replays.isFirst(numbered(number), clock.now() + 300_000, false);
  for (let number = 0; number < 500_000; number += 1) await isFirst(number);
  await assert.rejects(isFirst(500_000), ReplaysUnavailable);
  assert.equal(await isFirst(0), false, 'it still knows the first');
  clock.advance(660_000);
  assert.equal(await isFirst(500_000), true, 'there is room again when the time of the others is over');
  assert.equal(await isFirst(499_999), false, 'they are kept for as long again');
  clock.advance(1_320_000);
  assert.equal(await isFirst(0), true);
});
