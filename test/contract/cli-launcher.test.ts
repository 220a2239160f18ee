import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spawnLicensify, temporaryFolder, type CliProcess, type SpawnOptions } from '../support/cli.ts';
import { createTestDatabase } from '../support/servers/databases.ts';

const DEADLINE = { timeout: 60_000 };

/** What an older Node.js says of itself; what it lacks is not needed to start another. */
const AS_NODE_20 = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } })",
)}`;

function launch(args: string[], options: Pick<SpawnOptions, 'env' | 'cwd'>): CliProcess {
  return spawnLicensify(args, {
    ...options,
    script: 'bin/licensify.js',
    nodeOptions: ['--import', AS_NODE_20],
  });
}

async function serveEnv(): Promise<Record<string, string>> {
  const { url } = await createTestDatabase();
  return { PORT: '0', INTERNAL_PORT: '0', HOST: '127.0.0.1', DATABASE_URL: url };
}

describe('bin/licensify.js on an older Node.js', () => {
  it("runs the command on the checkout's own and hands its output and exit code on", async () => {
    using folder = temporaryFolder();
    const help = launch(['--help'], { cwd: folder.path });
    assert.equal(await help.ended(), 0);
    assert.match(help.output(), /^Usage: licensify /);
    const wrong = launch(['nonsense'], { cwd: folder.path });
    assert.equal(await wrong.ended(), 2);
    const failed = launch(['config'], { cwd: folder.path, env: { PORT: 'x' } });
    assert.equal(await failed.ended(), 1);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`passes ${signal} on: the gateway stops in order, and the launcher after it`, DEADLINE, async () => {
      using folder = temporaryFolder();
      const gateway = launch(['serve'], { cwd: folder.path, env: await serveEnv() });
      try {
        await gateway.waitFor(/"msg":"listening"/);
        gateway.child.kill(signal);
        assert.equal(await gateway.ended(), 0);
        assert.match(gateway.output(), new RegExp(`"signal":"${signal}".*\\n.*"msg":"stopped"`));
      } finally {
        await gateway.stop();
      }
    });
  }

  it('dies of what the command died of', DEADLINE, async () => {
    using folder = temporaryFolder();
    const gateway = launch(['serve'], { cwd: folder.path, env: await serveEnv() });
    try {
      await gateway.waitFor(/"msg":"listening"/);
      gateway.child.kill('SIGQUIT');
      assert.equal(await gateway.ended(), 'SIGQUIT');
    } finally {
      await gateway.stop();
    }
  });
});
