import assert from 'node:assert/strict';
import { globSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { licensify, temporaryFolder, type CliOptions, type CliResult } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { refusingUrl } from '../support/sdk-stage.ts';

describe('licensify client', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
  });
  after(() => gateway.close());

  /** A customer's machine. */
  const machine = (home: string) => {
    const env = { LICENSIFY_URL: gateway.url, XDG_DATA_HOME: home };
    return (args: string[], options: CliOptions = {}): Promise<CliResult> =>
      licensify(['client', ...args], { ...options, env: { ...env, ...options.env } });
  };

  async function activated(
    home: string,
    fields = {},
  ): Promise<{ run: ReturnType<typeof machine>; id: string }> {
    const { licenseKey, id } = await gateway.createLicense(fields);
    const run = machine(home);
    const { code, err } = await run(['activate', '--hardware-id', 'hw-cli'], { input: `${licenseKey}\n` });
    assert.deepEqual([code, err], [0, '']);
    return { run, id };
  }

  it('activate takes the license key from a prompt, standard input or a file, and keeps it with mode 0600', async () => {
    const { licenseKey } = await gateway.createLicense({ name: 'Ada' });
    using folder = temporaryFolder();
    const file = join(folder.path, 'license.txt');
    writeFileSync(file, `${licenseKey}\n`, { mode: 0o600 });
    const ways: [string[], CliOptions][] = [
      [[], { answer: licenseKey }],
      [[], { input: licenseKey }],
      [['--license-key-file', '-'], { input: ` ${licenseKey} \n` }],
      [['--license-key-file', file], {}],
    ];
    for (const [args, options] of ways) {
      using home = temporaryFolder();
      const { code, out } = await machine(home.path)(
        ['activate', '--hardware-id', 'hw-cli', ...args],
        options,
      );
      assert.equal(code, 0);
      assert.match(out, /Customer\tAda\nTier\tpro\nDevice\thw-cli\nDaily limit\t1000\n/);
      assert.ok(!out.includes('px_') && !out.includes(licenseKey), 'it prints a key');
      const [kept = ''] = globSync(join(home.path, 'licensify/cli/*.json'));
      assert.equal(statSync(kept).mode & 0o777, 0o600);
    }
  });

  it('activate takes no license key on the command line, and does not repeat one', async () => {
    using home = temporaryFolder();
    const { code, out, err } = await machine(home.path)(['activate', 'LIC-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA']);
    assert.equal(code, 2);
    assert.match(err, /not taken from the command line.*--license-key-file/);
    assert.ok(!`${out}${err}`.includes('AAAAA'));
  });

  it('check tells the state, and by its exit code whether the license is valid', async () => {
    using home = temporaryFolder();
    const { run, id } = await activated(home.path, { daily_limit: 7 });
    const { code, out } = await run(['check']);
    assert.equal(code, 0);
    assert.match(out, /Valid\tyes\nTier\tpro\nToday\t0 of 7\n/);
    await gateway.admin(`/licenses/${id}/suspend`, { method: 'POST' });
    const suspended = await run(['check', '--json']);
    assert.equal(suspended.code, 1);
    const { valid, reason } = JSON.parse(suspended.out) as { valid: boolean; reason: string };
    assert.deepEqual([valid, reason], [false, 'license_suspended']);
  });

  it('says what is wrong in one line: not activated, a used-up limit, no gateway, a wrong URL', async () => {
    using home = temporaryFolder();
    const fresh = await machine(home.path)(['chat', 'Hello']);
    assert.deepEqual(
      [fresh.code, fresh.err],
      [1, 'This device is not activated: licensify client activate\n'],
    );
    const { run } = await activated(home.path, { daily_limit: 0 });
    const refused = await run(['chat', 'Hello']);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^Daily limit of 0 requests exceeded. Current usage: 0 \(request .*\)\n$/);
    const nobody = await run(['activate', '--url', await refusingUrl()], { input: 'LIC-x' });
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /^http:\/\/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)\n$/);
    const clear = await run(['check', '--url', 'http://licenses.example.com']);
    assert.equal(clear.code, 2);
    assert.match(clear.err, /keys in the clear: use https \(or --allow-http/);
    const empty = await run(['activate'], { input: '\n' });
    assert.deepEqual([empty.code, empty.err], [2, 'There is no license key there.\n']);
  });

  it("pays no attention to .env, which is a server's", async () => {
    using home = temporaryFolder();
    const { run } = await activated(home.path);
    const { code } = await run(['check'], { envFile: { LICENSIFY_URL: 'http://127.0.0.1:1' } });
    assert.equal(code, 0);
  });
});
