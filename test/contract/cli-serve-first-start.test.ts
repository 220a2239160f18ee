import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { assertShows, project, rememberKeysIn, spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { keepDump } from '../support/output.ts';

const env = { PORT: '0', INTERNAL_PORT: '0', HOST: '127.0.0.1', OPENAI_API_KEY: 'made-up-openai-key-hush' };

it('a first start says where it listens, what it uses and what to type next, and that works', async () => {
  using folder = temporaryFolder();
  const gateway = spawnLicensify(['serve'], { cwd: folder.path, env });
  try {
    const [page] = await gateway.waitFor(/Licensify .* is listening on [^]*?\n {2}Next: .*\n/);
    const [, url = ''] = /listening on (http:\/\/127\.0\.0\.1:\d+)\n/.exec(page) ?? [];
    assert.match(page, /\n +metrics and health +http:\/\/127\.0\.0\.1:\d+\/metrics, \/health\/ready\n/);
    assert.match(page, /\n +licenses +embedded PostgreSQL in \.\/data\n/);
    assert.match(page, /\n +counters +in this process/);
    assert.match(page, /\n +OpenAI key +\*\*\*\*hush\n/);
    assert.match(page, /\n +Anthropic key +not set \(ANTHROPIC_API_KEY\)\n/);
    assert.match(page, /\n +admin token +in data\/admin-token\n/);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.equal(statSync(join(folder.path, 'data/admin-token')).mode & 0o777, 0o600);

    const [, next = ''] = /Next: (.*)\n/.exec(page) ?? [];
    assert.match(next, /npx licensify license create /);
    const command = next.replace('npx licensify', `"${process.execPath}" "${join(project, 'src/main.ts')}"`);
    const { code, output } = await shell(command, folder.path);
    rememberKeysIn(output);
    assert.equal(code, 0);
    assertShows(output, /LIC(?:-[0-9A-Z]{5}){5}/);
    assert.ok(!gateway.output().includes('made-up-openai-key'));
  } finally {
    gateway.child.kill('SIGTERM');
    assert.equal(await gateway.ended(), 0);
    keepDump('logs', gateway.output());
  }
});

async function shell(command: string, cwd: string): Promise<{ code: unknown; output: string }> {
  const child = spawn('sh', ['-c', command], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, output };
}
