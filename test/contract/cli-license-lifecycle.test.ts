import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { asAdministratorOf, assertShows, rememberKeysIn } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

it('a license goes from creation to revocation by the CLI, and each step is in force at the gateway', async () => {
  const run = asAdministratorOf(gateway);
  const ok = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await run(args);
    assert.equal(code, 0, `${args.slice(0, 2).join(' ')}: ${err}`);
    rememberKeysIn(out);
    return out;
  };
  const status = async (proxyKey: string): Promise<number> => {
    const headers = { authorization: `Bearer ${proxyKey}` };
    return (await gateway.request('/proxy/openai/v1/models', { headers })).status;
  };

  const created = await ok(
    ...['license', 'create', '--email', 'ada@example.com', '--name', 'Ada', '--tier', 'pro'],
    ...['--daily-limit', '7', '--expires-at', '2099-01-31'],
  );
  const licenseKey = /LIC(?:-[0-9A-Z]{5}){5}/.exec(created)?.[0] ?? '';
  const id = /lic_\w+/.exec(created)?.[0] ?? '';
  assertShows(created, /The key is shown only now/);
  assert.ok(created.includes(`curl ${gateway.url}/activate`), 'the next command to type');

  assert.match(
    await ok('license', 'list'),
    new RegExp(`^${id}\tada@example.com\tAda\tpro\tactive\t7\t`, 'm'),
  );
  const proxyKey = await gateway.activate(licenseKey, 'hw 1/ä');
  assert.equal(await status(proxyKey), 200);
  const shown = await ok('license', 'show', id);
  assert.match(shown, /requests per day\t1 of 7 used\n/);
  assert.match(shown, /expires\t2099-01-31T00:00:00.000Z\n/);
  assert.match(shown, /hw 1\/ä\t/);
  assert.ok(!shown.includes(licenseKey) && !shown.includes(proxyKey), 'keys are not shown again');

  const updated = await ok('license', 'update', id, '--daily-limit', 'tier', '--expires-at', 'never');
  assert.match(updated, /requests per day\t1000\n/);
  assert.match(updated, /expires\tnever\n/);

  await ok('license', 'suspend', id);
  assert.equal(await status(proxyKey), 403);
  assert.match(await ok('license', 'list', '--status', 'suspended'), new RegExp(id));
  await ok('license', 'reinstate', id);
  assert.equal(await status(proxyKey), 200);

  assert.match(await ok('device', 'list', id), /^hw 1\/ä\t/m);
  await ok('device', 'remove', id, 'hw 1/ä', '--yes');
  assert.equal(await status(proxyKey), 401);
  assert.equal(await ok('device', 'list', id), '');

  const second = await gateway.activate(licenseKey, 'hw-2');
  assert.equal(await status(second), 200);
  await ok('license', 'revoke', id, '--yes');
  assert.equal(await status(second), 401);
  const again = await run(['license', 'reinstate', id]);
  assert.equal(again.code, 1);
  assert.match(again.err, /^The license is revoked, which is for good: create a new one\n$/);
});
