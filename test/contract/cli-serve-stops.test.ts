import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/servers/databases.ts';

// npm and bin/licensify.js pass on a Ctrl-C that the terminal has sent to the gateway already.
it('one Ctrl-C that arrives twice is one: the gateway stops in order', async () => {
  using folder = temporaryFolder();
  const { url } = await createTestDatabase();
  const env = { PORT: '0', INTERNAL_PORT: '0', HOST: '127.0.0.1', DATABASE_URL: url };
  const gateway = spawnLicensify(['serve', '--json'], { cwd: folder.path, env });
  try {
    await gateway.waitFor(/"msg":"listening"/);
    gateway.child.kill('SIGINT');
    gateway.child.kill('SIGINT');
    assert.equal(await gateway.ended(), 0);
    assert.match(gateway.output(), /"msg":"stopped"\}\n$/);
    const lines = gateway.output().trimEnd().split('\n');
    assert.ok(lines.map((line) => JSON.parse(line) as object).length > 2, '--json: nothing but JSON lines');
  } finally {
    await gateway.stop();
  }
});

it('a stop in the midst of the start comes right after it', async () => {
  using folder = temporaryFolder();
  const env = { PORT: '0', INTERNAL_PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info' };
  const gateway = spawnLicensify(['serve'], { cwd: folder.path, env });
  try {
    // The embedded database is being made: its folder's lock is the first thing of it.
    await eventually(() => readFileSync(join(folder.path, 'data/gateway.pid')), 30_000);
    gateway.child.kill('SIGTERM');
    assert.equal(await gateway.ended(60_000), 0);
    assert.match(gateway.output(), /"msg":"stopped"/);
  } finally {
    await gateway.stop();
  }
});
