import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { asAdministratorOf, rememberKeysIn } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

interface License {
  id: string;
  status: string;
  daily_limit: number;
}

it('with --json each administration command prints what the admin API answered, and nothing else', async () => {
  const run = asAdministratorOf(gateway);
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, out, err } = await run([...args, '--json']);
    assert.equal(code, 0, `${args.slice(0, 2).join(' ')}: ${err}`);
    assert.equal(err, '');
    rememberKeysIn(out);
    return JSON.parse(out);
  };

  const created = (await json(
    ...['license', 'create', '--email', 'a@example.com', '--name', 'A', '--tier', 'free'],
    ...['--monthly-limit', 'unlimited'],
  )) as { license: License; license_key: string };
  const { id } = created.license;
  assert.match(created.license_key, /^LIC-/);
  await gateway.activate(created.license_key, 'hw-1');

  const list = (await json('license', 'list', '--tier', 'free')) as { data: License[]; next_cursor: null };
  assert.deepEqual([list.data.map((license) => license.id), list.next_cursor], [[id], null]);
  const shown = (await json('license', 'show', id)) as { license: License & { devices: unknown[] } };
  assert.equal(shown.license.devices.length, 1);
  const updated = (await json('license', 'update', id, '--daily-limit', '3')) as { license: License };
  assert.equal(updated.license.daily_limit, 3);
  for (const [verb, status] of [
    ['suspend', 'suspended'],
    ['reinstate', 'active'],
  ] as const) {
    assert.equal(((await json('license', verb, id)) as { license: License }).license.status, status);
  }
  const devices = (await json('device', 'list', id)) as { data: { hardware_id: string }[] };
  assert.deepEqual(
    devices.data.map((device) => device.hardware_id),
    ['hw-1'],
  );
  assert.deepEqual(await json('device', 'remove', id, 'hw-1', '--yes'), {
    removed: true,
    license: id,
    hardware_id: 'hw-1',
  });
  assert.equal(
    ((await json('license', 'revoke', id, '--yes')) as { license: License }).license.status,
    'revoked',
  );
  const { tiers } = (await json('tier', 'list')) as { tiers: { id: string }[] };
  assert.deepEqual(
    tiers.map((tier) => tier.id),
    ['free', 'pro', 'enterprise'],
  );
});

it('a list goes on where its cursor says', async () => {
  const run = asAdministratorOf(gateway);
  for (const name of ['One', 'Two']) await gateway.createLicense({ name, email: 'pages@example.com' });
  const page = async (...more: string[]) => {
    const { out } = await run([
      'license',
      'list',
      '--email',
      'pages@example.com',
      '--limit',
      '1',
      '--json',
      ...more,
    ]);
    return JSON.parse(out) as { data: { name: string }[]; next_cursor: string | null };
  };
  const first = await page();
  assert.equal(first.data[0]?.name, 'Two');
  assert.equal((await page('--cursor', first.next_cursor ?? '')).data[0]?.name, 'One');
  const plain = await run(['license', 'list', '--email', 'pages@example.com', '--limit', '1']);
  assert.match(plain.err, new RegExp(`There are more: --cursor ${first.next_cursor ?? '?'}`));
});
