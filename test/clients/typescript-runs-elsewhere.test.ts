import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildClient, type BuiltClient } from '../support/built-client.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/run-program.ts';
import { signingTiers } from '../support/signing.ts';

/** Activates at its first start, streams, and uses what is kept at its second. */
const script = ({ index }: BuiltClient): string => `
import { Licensify } from '${index}';
const [url, licenseKey] = ['URL', 'KEY'];
const messages = [{ role: 'user', content: 'Hello' }];
await new Licensify({ url }).activate(licenseKey);
let text = '';
const client = new Licensify({ url });
for await (const piece of client.chat({ model: 'gpt-4o', messages })) text += piece;
console.log(JSON.stringify([text, client.quota.remaining, (await client.check()).valid]));
`;

describe('the client as it is published, plain JavaScript', () => {
  let gateway: TestGateway;
  let client: BuiltClient;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', tiers: signingTiers() });
    client = await buildClient();
  });
  after(async () => {
    client[Symbol.dispose]();
    await gateway.close();
  });

  async function run(program: string, args: string[], tier = 'pro'): Promise<void> {
    const { licenseKey } = await gateway.createLicense({ tier });
    const home = mkdtempSync(join(tmpdir(), 'licensify-client-home-'));
    try {
      const input = script(client).replace('URL', gateway.url).replace('KEY', licenseKey);
      const { code, stdout, stderr } = await runProgram(program, args, {
        input,
        env: { XDG_DATA_HOME: home },
      });
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), ['You said: Hello', 999, true]);
      assert.equal(
        readdirSync(join(home, 'licensify', 'default')).filter((name) => name.endsWith('.json')).length,
        1,
      );
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  it('runs in Node.js', () => run(process.execPath, ['--input-type=module', '-']));

  for (const tier of ['pro', 'signed', 'bound']) {
    it(`runs in Deno, with no more permission than it needs, on the tier "${tier}"`, () => {
      const deno = join(createRequire(import.meta.url).resolve('deno/package.json'), '../bin.cjs');
      const allowed = [
        '--allow-net=127.0.0.1',
        '--allow-read',
        '--allow-write',
        '--allow-env',
        '--allow-sys',
      ];
      return run(process.execPath, [deno, 'run', '--no-prompt', ...allowed, '-'], tier);
    });
  }
});
