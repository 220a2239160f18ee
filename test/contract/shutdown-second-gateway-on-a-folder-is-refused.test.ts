import assert from 'node:assert/strict';
import { it } from 'node:test';
import { temporaryFolder } from '../support/cli.ts';
import { serve, spawnServe } from '../support/served.ts';
import { startSimulator } from '../support/simulator/simulator.ts';
import { fetchChat } from '../support/streams.ts';

it('a second gateway on the same DATA_DIR is refused with what to do, and the first one serves on', async (t) => {
  using folder = temporaryFolder();
  const simulator = await startSimulator();
  t.after(() => simulator.close());
  const first = await serve(folder.path, simulator);
  t.after(() => first.end());
  const device = await first.device();

  const second = spawnServe(folder.path, simulator);
  t.after(() => second.stop());
  assert.equal(await second.ended(), 1);
  const said = second.output();
  assert.ok(
    said.includes(`DATA_DIR ${folder.path} is in use by another gateway (process ${first.process.pid}).`),
  );
  assert.match(said, /Stop it, or give this one its own DATA_DIR, or set DATABASE_URL/);
  assert.doesNotMatch(said, /\n\s+at /, 'a stack is no message');

  const answer = await fetchChat(first, device);
  assert.equal(answer.status, 200);
  assert.equal(await first.usedToday(device), 1);
});
