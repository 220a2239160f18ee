import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { readSecret } from '../../src/cli/read-secret.ts';
import { asAdministratorOf, licensify, temporaryFolder } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { newMasterKey, newOpenAiKey, openaiOf } from '../support/provider-admin.ts';

describe('licensify provider', () => {
  const masterKey = newMasterKey();
  let gateway: TestGateway;
  let run: ReturnType<typeof asAdministratorOf>;
  before(async () => {
    gateway = await startTestGateway({ env: { MASTER_KEY: masterKey } });
    run = asAdministratorOf(gateway);
  });
  after(() => gateway.close());

  it('set-key takes a key from standard input, and prints its fingerprint alone', async () => {
    const key = newOpenAiKey();
    const { code, out, err } = await run(['provider', 'set-key', 'openai'], { input: key });
    assert.deepEqual([code, err], [0, '']);
    const { fingerprint, source } = await openaiOf(gateway);
    assert.equal(source, 'admin');
    assert.ok(out.includes(String(fingerprint)) && !out.includes(key.slice(0, 12)), out);
    const list = await run(['provider', 'list']);
    assert.match(list.out, new RegExp(`^openai\t${fingerprint}\tadmin\t\\d{4}-`, 'm'));
    assert.match(list.out, /^anthropic\t[0-9a-f]{8}\tenvironment\t/m);
  });

  it('set-key takes one from a file, and none that is none', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'key');
    writeFileSync(file, `${newOpenAiKey()}\n`);
    const before = await openaiOf(gateway);
    assert.equal((await run(['provider', 'set-key', 'openai', '--file', file, '--json'])).code, 0);
    const set = await openaiOf(gateway);
    assert.notEqual(set.fingerprint, before.fingerprint);
    writeFileSync(file, 'hush hush\nhush');
    for (const args of [['--file', file], ['--file', join(folder.path, 'nowhere')], []]) {
      const { code, out, err } = await run(['provider', 'set-key', 'openai', ...args], { input: '' });
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /Nothing was changed\.$/m);
      assert.doesNotMatch(err, /hush hush/);
    }
    const argument = await run(['provider', 'set-key', 'openai', newOpenAiKey()]);
    assert.equal(argument.code, 2, 'never from the command line');
    assert.deepEqual(await openaiOf(gateway), set);
  });

  it('remove-key asks first, and says what is used then', async () => {
    assert.equal((await run(['provider', 'remove-key', 'openai'], { answer: 'n' })).code, 1);
    const { code, out } = await run(['provider', 'remove-key', 'openai', '--yes']);
    assert.equal(code, 0);
    assert.match(out, /from the environment is used again/);
    assert.equal((await run(['provider', 'remove-key', 'openai', '--yes'])).code, 1, 'a second time');
  });

  it('remove-key --in-database is the way out where the master key is lost', async () => {
    await run(['provider', 'set-key', 'openai'], { input: newOpenAiKey() });
    const env = { MASTER_KEY: newMasterKey() };
    await assert.rejects(startTestGateway({ joins: gateway, env }), /--in-database/);
    const settings = { DATABASE_URL: gateway.env.DATABASE_URL };
    const args = ['provider', 'remove-key', 'openai', '--in-database', '--yes'];
    const { code, err } = await licensify(args, { env: settings });
    assert.deepEqual([code, err], [0, '']);
    assert.equal((await licensify(args, { env: settings })).code, 1, 'a second time there is none');
    const started = await startTestGateway({ joins: gateway, env });
    assert.equal((await openaiOf(started)).source, 'environment');
    await started.close();
  });

  it('master-key rotate says how many secrets are under it now', async () => {
    await run(['provider', 'set-key', 'openai'], { input: newOpenAiKey() });
    const { code, out } = await run(['master-key', 'rotate']);
    assert.equal(code, 0);
    assert.match(out, /^1 stored secrets are encrypted under the master key [0-9a-f]{8} now \(0 were not\)/);
  });
});

it('a secret that a person types does not appear', async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  const reading = readSecret('The key: ', input, output);
  input.write('hush-hush\r');
  assert.equal(await reading, 'hush-hush');
  output.end();
  assert.equal(await text(output), 'The key: \n');
});

it('a person who types nothing and goes away has given no secret', async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const reading = readSecret('The key: ', input, new PassThrough());
  input.end();
  assert.equal(await reading, '');
});
