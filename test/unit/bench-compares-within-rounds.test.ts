import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median, pairwise, percentile, spreadOf } from '../../bench/statistics.ts';

describe('what the benchmark makes of its measurements', () => {
  it('the median is the middle value, or lies between the two middle ones', () => {
    assert.equal(median([30, 10, 20]), 20);
    assert.equal(median([40, 10, 20, 30]), 25);
    assert.throws(() => median([]), RangeError);
  });

  it('a spread holds median, least and most, and there is none without values', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.equal(spreadOf([]), undefined);
  });

  it('a percentile is a value that was measured', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.equal(percentile(hundred, 50), 50);
    assert.equal(percentile(hundred, 99), 99);
    assert.equal(percentile([7], 99), 7);
    assert.equal(percentile([1.5, 2.5], 0), 1.5);
  });

  it('ratios are taken within each round: a round in which the machine was slow for both changes nothing', () => {
    const ratio = pairwise([20, 200, 20], [10, 100, 10], (our, their) => our / their);
    assert.deepEqual(ratio, { median: 2, min: 2, max: 2 });
  });

  it('a round that lacks one of the two, or cannot be divided, is left out', () => {
    const ratio = pairwise([20, undefined, 30, 5], [10, 10, undefined, 0], (our, their) => our / their);
    assert.deepEqual(ratio, { median: 2, min: 2, max: 2 });
    assert.equal(
      pairwise([], [], (our) => our),
      undefined,
    );
  });
});
