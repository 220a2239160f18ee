import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  licensify,
  spawnLicensify,
  temporaryFolder,
  type CliOptions,
  type CliResult,
} from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

describe('licensify client chat', () => {
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

  async function activated(home: string, fields = {}): Promise<{ run: ReturnType<typeof machine> }> {
    const { licenseKey } = await gateway.createLicense(fields);
    const run = machine(home);
    const { code, err } = await run(['activate', '--hardware-id', 'hw-cli'], { input: `${licenseKey}\n` });
    assert.deepEqual([code, err], [0, '']);
    return { run };
  }

  it('chat prints the answer: of both providers, from arguments and from standard input', async () => {
    using home = temporaryFolder();
    const { run } = await activated(home.path);
    const said = { code: 0, out: 'You said: Hello you\n', err: '' };
    assert.deepEqual(await run(['chat', 'Hello', 'you']), said);
    assert.deepEqual(await run(['chat', '--provider', 'anthropic', 'Hello you']), said);
    assert.deepEqual(await run(['chat'], { input: 'Hello you\n' }), said);
    assert.match((await run(['chat', 'Hello'], { isInteractive: true })).err, /^\(\d+ left until 20.*Z\)\n$/);
  });

  it('chat --json prints a line for each piece, and says at the end that it is the end', async () => {
    using home = temporaryFolder();
    const { run } = await activated(home.path, { daily_limit: 5 });
    const { out } = await run(['chat', '--json', 'Hello']);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { delta?: string; done?: boolean; quota?: { remaining: number } });
    assert.equal(lines.map(({ delta }) => delta ?? '').join(''), 'You said: Hello');
    assert.equal(lines.at(-1)?.done, true);
    assert.equal(lines.at(-1)?.quota?.remaining, 4);
  });

  it('chat whose stream is cut fails, with what came on a line of its own', async () => {
    using home = temporaryFolder();
    const { run } = await activated(home.path);
    gateway.simulator.behave({ die: 'mid-stream', chunks: 6 });
    try {
      for (const json of [[], ['--json']]) {
        const { code, out, err } = await run(['chat', ...json, 'Hello']);
        assert.equal(code, 1);
        assert.match(err, /^The stream broke off before its end \(request .*\)\n$/);
        assert.match(out, /.\n$/);
        assert.ok(!out.includes('"done"'));
      }
    } finally {
      gateway.simulator.behave(undefined);
    }
  });

  it('Ctrl-C ends an answer at once, on a line of its own, with 130, and the work of the provider', async () => {
    using home = temporaryFolder();
    await activated(home.path);
    gateway.simulator.behave({ hang: 'mid-stream', chunks: 6 });
    try {
      const env = { LICENSIFY_URL: gateway.url, XDG_DATA_HOME: home.path };
      const chat = spawnLicensify(['client', 'chat', 'Hello'], { cwd: home.path, env });
      await chat.waitFor(/You said/);
      const request = gateway.simulator.requests.at(-1);
      chat.child.kill('SIGINT');
      assert.equal(await chat.ended(), 130);
      assert.match(chat.output(), /^You said.*\nInterrupted: the answer is not complete\.\n$/);
      await request?.closed;
      assert.equal(request?.aborted, true);
    } finally {
      gateway.simulator.behave(undefined);
    }
  });
});
