import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { it } from 'node:test';
import { project, temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

// npm signals its shell, and the shell dies of it without telling the gateway.
it('a SIGTERM to npm start stops the gateway, which would keep its port and its folder otherwise', async (t) => {
  using folder = temporaryFolder();
  const npm = spawn('npm', ['start'], {
    cwd: project,
    env: { ...process.env, PORT: '0', INTERNAL_PORT: '0', HOST: '127.0.0.1', DATA_DIR: folder.path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => npm.kill('SIGKILL'));
  let output = '';
  npm.stdout.on('data', (text: Buffer) => (output += text.toString()));
  npm.stderr.resume();
  const url = await eventually(() => {
    const found = /"url":"(http:[^"]+)"/.exec(output)?.[1];
    assert.ok(found !== undefined, 'it does not listen yet');
    return found;
  }, 60_000);
  assert.ok(await answers(url));
  npm.kill('SIGTERM');
  await eventually(async () => assert.equal(await answers(url), false), 30_000);
  await eventually(() => assert.match(output, /"msg":"stopped"/), 30_000);
});
