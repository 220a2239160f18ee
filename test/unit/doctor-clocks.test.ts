import assert from 'node:assert/strict';
import { it } from 'node:test';
import { judgeClocks } from '../../src/cli/doctor/clocks.ts';

const at = 1_800_000_000_000;
const reading = (ahead: number, took = 10) => ({
  whose: 'Redis',
  asked: at,
  answered: at + took,
  shown: at + took / 2 + ahead,
});

it('a clock that is more than a second off warns, in both directions', () => {
  assert.deepEqual(
    [1_500, -1_500].map((ahead) =>
      judgeClocks([reading(0), reading(ahead)]).map(({ state, found }) => `${state}: ${found}`),
    ),
    [['warn: Redis is 1.5 s ahead of this machine'], ['warn: Redis is 1.5 s behind this machine']],
  );
  assert.deepEqual(
    judgeClocks([reading(900)]).map(({ state }) => state),
    ['ok'],
  );
});

it('an answer that took long is not counted against the clock', () => {
  assert.deepEqual(
    judgeClocks([reading(1_500, 2_000)]).map(({ state }) => state),
    ['ok'],
  );
  assert.deepEqual(
    judgeClocks([reading(3_000, 2_000)]).map(({ state }) => state),
    ['warn'],
  );
});
