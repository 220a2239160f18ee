import assert from 'node:assert/strict';
import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { it } from 'node:test';
import type { SimulatorModule } from '../../src/cli/demo.ts';
import { project, spawnLicensify, temporaryFolder } from '../support/cli.ts';
import * as simulator from '../support/simulator/simulator.ts';

// The demo finds the simulator by its place alone, so this is where the compiler compares the two.
const expected: SimulatorModule = simulator;

it('without the tests, as in the published package, the demo says where it runs', async () => {
  assert.equal(typeof expected.startSimulator, 'function');
  using folder = temporaryFolder();
  for (const part of ['src', 'db', 'package.json']) {
    cpSync(join(project, part), join(folder.path, part), { recursive: true });
  }
  symlinkSync(join(project, 'node_modules'), join(folder.path, 'node_modules'));
  const before = readdirSync(folder.path);
  const script = join(relative(project, folder.path), 'src/main.ts');
  const demo = spawnLicensify(['demo'], { cwd: folder.path, script, env: { TMPDIR: folder.path } });
  assert.equal(await demo.ended(60_000), 1);
  assert.match(
    demo.output(),
    /^The demo needs the provider simulator, which only a clone .* npm run demo\.\n$/,
  );
  assert.deepEqual(readdirSync(folder.path), before);
});
