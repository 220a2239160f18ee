import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { assertShows, rememberKeysIn, spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { freePort } from '../support/servers/processes.ts';

const run = promisify(execFile);

/** The commands that a page shows: from the first column, over as many lines as they go on. */
function commandsIn(page: string): string[] {
  return page.match(/^(?:curl|echo) (?:.*[\\|]\n)*.*$/gm) ?? [];
}

async function sh(command: string | undefined): Promise<string> {
  assert.ok(command !== undefined, 'the page shows such a command');
  return (await run('sh', ['-c', command])).stdout;
}

it('the demo shows every step, its printed commands work while it stays up, and it leaves nothing behind', async () => {
  using folder = temporaryFolder();
  const port = await freePort();
  const env = { PORT: String(port), TMPDIR: folder.path };
  const demo = spawnLicensify(['demo'], { cwd: folder.path, env });
  try {
    await demo.waitFor(/The demo stays up at .*\n/, 90_000);
    const page = demo.output();
    rememberKeysIn(page);
    assertShows(page, new RegExp(`The demo stays up at http://127\\.0\\.0\\.1:${port} until Ctrl-C`));
    for (const provider of ['OpenAI', 'Anthropic']) {
      for (const mode of ['plain', 'streamed']) {
        for (const form of ['as an envelope', 'drop-in']) {
          assertShows(page, new RegExp(`${provider}, ${mode}, ${form}.*\\n\\ncurl [^]*?\\n {4}HTTP 200\\n`));
        }
      }
    }
    assertShows(page, / {4}x-ratelimit-remaining: 999\n/);
    assertShows(
      page,
      / {4}HTTP 429\n {4}retry-after: \d+\n[^]*Daily limit of 1 requests exceeded\. Current usage: 1/,
    );

    const commands = commandsIn(page);
    assert.equal(commands.length, 16, 'each step has its command');
    const plain = await sh(
      commands.find((command) => command.includes('/proxy/openai') && command.includes('Bearer')),
    );
    assertShows(plain, /^HTTP\/1\.1 200 OK\r\n[^]*X-RateLimit-Remaining: 991\r\n[^]*"chat\.completion"/i);
    const streamed = await sh(
      commands.find((command) => command.includes('/proxy/anthropic') && command.includes('"stream":true')),
    );
    assertShows(streamed, /^event: message_start\n[^]*event: message_stop\n/);
    assertShows(await sh(commands.findLast((command) => command.startsWith('curl'))), /^HTTP\/1\.1 429 /);
    const decrypted = await sh(commands.find((command) => command.startsWith('echo')));
    assertShows(decrypted, /^px_[0-9A-Za-z]{40}$/);
    assert.ok(page.includes(`    ${decrypted}\n`));

    assert.ok(readdirSync(folder.path).some((name) => name.startsWith('licensify-demo-')));
    demo.child.kill('SIGTERM');
    assert.equal(await demo.ended(), 0);
    assert.deepEqual(readdirSync(folder.path), []);
  } finally {
    await demo.stop();
  }
});
