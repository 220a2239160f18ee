import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../support/cli.ts';
import { serve } from '../support/served.ts';
import { startSimulator } from '../support/simulator/simulator.ts';
import { fetchChat } from '../support/streams.ts';

/** Contract §7.4: in process, a crash loses at most this much. Milliseconds. */
const MAY_BE_LOST = 1_000;
const LOAD = 4_000;
const EVERY = 20;

it('SIGKILL: the embedded database opens again, and at most the last second of counts is gone', async (t) => {
  using folder = temporaryFolder();
  const simulator = await startSimulator({ record: false });
  t.after(() => simulator.close());
  const first = await serve(folder.path, simulator);
  t.after(() => first.end());
  const device = await first.device({ tier: 'enterprise' });

  const answeredAt: number[] = [];
  const until = performance.now() + LOAD;
  while (performance.now() < until) {
    const answer = await fetchChat(first, device);
    assert.equal(answer.status, 200);
    await answer.text();
    answeredAt.push(performance.now());
    await sleep(EVERY); // the pace of the load
  }
  const killedAt = performance.now();
  first.process.child.kill('SIGKILL');
  assert.equal(await first.process.ended(), 'SIGKILL');

  const second = await serve(folder.path, simulator);
  t.after(() => second.end());
  const kept = await second.usedToday(device);
  const lostFrom = answeredAt[kept] ?? killedAt;
  t.diagnostic(
    `${kept} of ${answeredAt.length} requests kept: the last ${(killedAt - lostFrom).toFixed(0)} ms are gone`,
  );
  const mustBeKept = answeredAt.filter((time) => time < killedAt - MAY_BE_LOST).length;
  assert.ok(mustBeKept > 20, 'too little load to tell');
  assert.ok(kept >= mustBeKept, `${kept} kept, ${mustBeKept} of them older than a second`);
  assert.ok(kept <= answeredAt.length, 'more was counted than was answered');
  assert.equal((await fetchChat(second, device)).status, 200);
});
