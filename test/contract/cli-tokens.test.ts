import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import {
  asAdministratorOf,
  assertShows,
  rememberKeysIn,
  type CliOptions,
  type CliResult,
} from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let run: (args: string[], options?: CliOptions) => Promise<CliResult>;
before(async () => {
  gateway = await startTestGateway();
  run = asAdministratorOf(gateway);
});
after(() => gateway.close());

it('a token is made, used, listed and revoked by the CLI', async () => {
  const made = await run(['token', 'create', '--name', 'Grace, support', '--role', 'support']);
  rememberKeysIn(made.out);
  assert.equal(made.code, 0, made.err);
  assertShows(
    made.out,
    /^Made token tok_\w+ for Grace, support, role support:\n\n {2}lat_\w+\n\nIt is shown only now/,
  );
  const id = /tok_\w+/.exec(made.out)?.[0] ?? '';
  const ADMIN_TOKEN = /lat_\w+/.exec(made.out)?.[0] ?? '';
  const asGrace = { env: { ADMIN_TOKEN } };

  const { id: licenseId } = await gateway.createLicense();
  assert.equal((await run(['license', 'suspend', licenseId], asGrace)).code, 0);
  const refused = await run(['license', 'revoke', licenseId, '--yes'], asGrace);
  assert.equal(refused.code, 1);
  assert.equal(
    refused.err,
    'This takes the role "admin"; the token "Grace, support" has the role "support"\n',
  );

  const list = await run(['token', 'list']);
  assert.match(list.out, new RegExp(`^${id}\tGrace, support\tsupport\tlat_\\w{5}…\t.*\tactive$`, 'm'));
  assert.ok(!list.out.includes(ADMIN_TOKEN));
  assert.match((await run(['token', 'list'], { isInteractive: true })).out, /^┌─+┬/);

  assert.equal((await run(['token', 'revoke', id], { answer: 'n' })).code, 1);
  assert.equal((await run(['license', 'list'], asGrace)).code, 0);
  assert.equal((await run(['token', 'revoke', id])).code, 2, 'nobody to ask');
  const ended = await run(['token', 'revoke', id, '--yes']);
  assert.deepEqual([ended.code, ended.out], [0, `Token ${id} of Grace, support is revoked, for good.\n`]);
  const dead = await run(['license', 'list'], asGrace);
  assert.equal(dead.code, 1);
  assert.match(dead.err, /refused the admin token \*\*\*\*\w{4}, which came from ADMIN_TOKEN/);
  assert.match((await run(['token', 'list'])).out, new RegExp(`^${id}\t.*\trevoked 20`, 'm'));
});

it('with --json a script gets the token by its name', async () => {
  const args = ['token', 'create', '--name', 'script', '--role', 'read', '--expires', '2099-01-31', '--json'];
  const { code, out } = await run(args);
  rememberKeysIn(out);
  assert.equal(code, 0);
  const made = JSON.parse(out) as { token: { role: string; expires_at: string }; admin_token: string };
  assert.deepEqual([made.token.role, made.token.expires_at], ['read', '2099-01-31T00:00:00.000Z']);
  assert.ok(made.admin_token.startsWith('lat_'));
  const page = JSON.parse((await run(['token', 'list', '--limit', '1', '--json'])).out) as {
    data: unknown[];
    next_cursor: string | null;
  };
  assert.equal(page.data.length, 1);
});

it('wrong usage ends with 2, and repeats no token', async () => {
  for (const [args, sentence] of [
    [['token', 'create', '--role', 'read'], /'--name <name>'/],
    [['token', 'create', '--name', 'x'], /'--role <role>'/],
    [['token', 'create', '--name', 'x', '--role', 'root'], /Allowed choices are read, support, admin/],
    [['token', 'create', '--name', 'x', '--role', 'read', '--expires', 'soon'], /It takes a day/],
    [['token', 'revoke', 'grace', '--yes'], /It takes a token's id, tok_…/],
    [['token', 'revoke', 'lat_secret', '--yes'], /That is an admin token\. Its id, tok_…, is asked for/],
  ] as const) {
    const { code, out, err } = await run([...args]);
    assert.deepEqual([code, out], [2, ''], err);
    assert.match(err, sentence);
    assert.ok(!err.includes('lat_secret'));
  }
});
