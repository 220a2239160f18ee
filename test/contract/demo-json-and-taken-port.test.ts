import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { it } from 'node:test';
import { assertShows, rememberKeysIn, spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { startSimulator } from '../support/simulator/simulator.ts';

it('where the port is taken, the demo takes another; with --json each step is a line of JSON', async () => {
  using folder = temporaryFolder();
  const taken = await startSimulator();
  const { port } = new URL(taken.url);
  const demo = spawnLicensify(['demo', '--json'], {
    cwd: folder.path,
    env: { PORT: port, TMPDIR: folder.path },
  });
  try {
    await demo.waitFor(/^\{"stays_up":true.*\}\n/m, 90_000);
    rememberKeysIn(demo.output());
    assertShows(demo.output(), new RegExp(`^Port ${port} is in use, so this takes a free one\\.$`, 'm'));
    const lines = demo
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { step?: number; command?: string; status?: number; url?: string });
    assert.deepEqual(
      lines.map(({ step }) => step),
      [...Array.from({ length: 16 }, (_, index) => index + 1), undefined],
    );
    assert.equal(lines[15]?.status, 429);
    assertShows(lines[0]?.command ?? '', /^curl /);
    const url = lines.at(-1)?.url ?? '';
    assert.notEqual(new URL(url).port, port);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.equal(taken.requests.length, 0);
    demo.child.kill('SIGINT');
    assert.equal(await demo.ended(), 0);
    assert.deepEqual(readdirSync(folder.path), []);
  } finally {
    await demo.stop();
    await taken.close();
  }
});
