import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Readiness } from '../../src/http/readiness.ts';
import { eventually } from '../support/eventually.ts';

it('many health checks at once ask a store once, and the answer serves those that come soon after', async () => {
  let asked = 0;
  let isThere = true;
  const check = (): Promise<void> => {
    asked += 1;
    return isThere ? Promise.resolve() : Promise.reject(new Error('away'));
  };
  const readiness = new Readiness([{ problem: 'the store is away', check }]);
  const answers = await Promise.all(Array.from({ length: 100 }, () => readiness.problems()));
  assert.deepEqual(answers.flat(), []);
  assert.deepEqual(await readiness.problems(), []);
  assert.equal(asked, 1);

  isThere = false;
  await eventually(async () => assert.deepEqual(await readiness.problems(), ['the store is away']), 1_000);
  assert.equal(asked, 2, 'asked again, and once');
});

it('a store that hangs is a problem within a second, and the others are asked all the same', async () => {
  const hang = (): Promise<never> => new Promise(() => undefined);
  const readiness = new Readiness([
    { problem: 'one hangs', check: hang },
    { problem: 'the other is there', check: () => Promise.resolve() },
  ]);
  const began = performance.now();
  assert.deepEqual(await readiness.problems(), ['one hangs']);
  const took = performance.now() - began;
  assert.ok(took < 1_000, `${took.toFixed(0)} ms`);
});
