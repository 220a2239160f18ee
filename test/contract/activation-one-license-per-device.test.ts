import assert from 'node:assert/strict';
import { it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';

const LICENSES = 50;

const tier = (id: string, rule: boolean): string =>
  `[tiers.${id}]\nname = "${id}"\ndaily_limit = 9\nmonthly_limit = 9\nmax_devices = 2\none_license_per_device = ${rule}\n`;
const tiers = tier('trial', true) + tier('student', true) + tier('pro', false);

function activate(gateway: TestGateway, licenseKey: string, hardwareId: string): Promise<JsonAnswer> {
  return gateway.request('/activate', { body: { license_key: licenseKey, hardware_id: hardwareId } });
}

async function assertOneOfFifty(gateways: [TestGateway, ...TestGateway[]]): Promise<void> {
  const [first] = gateways;
  const keys: string[] = [];
  for (let made = 0; made < LICENSES; made += 1) {
    keys.push((await first.createLicense({ tier: 'trial' })).licenseKey);
  }
  const answers = await Promise.all(
    keys.map((key, index) => activate(gateways[index % gateways.length] ?? first, key, 'shared-laptop')),
  );
  const refused = answers.filter(({ status }) => status === 403);
  assert.deepEqual(
    [answers.filter(({ status }) => status === 200).length, refused.length],
    [1, LICENSES - 1],
  );
  const texts = new Set(refused.map(({ text }) => text));
  assert.deepEqual(
    [...texts],
    [
      '{"error":"This device already uses another license of the tier \\"trial\\": deactivate that one first","code":"device_already_licensed"}',
    ],
  );
}

it('50 licenses at once on one device, over two gateways: exactly one is activated', async (t) => {
  const one = await startTestGateway({ tiers });
  t.after(() => one.close());
  const other = await startTestGateway({ tiers, joins: one });
  t.after(() => other.close());
  await assertOneOfFifty([one, other]);
});

it('50 licenses at once on one device, on the embedded database: exactly one is activated', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory', database: 'embedded', tiers });
  t.after(() => gateway.close());
  await assertOneOfFifty([gateway]);
});

it('the device is held by the license that has it, and free when that one is gone', async (t) => {
  const clock = new FakeClock('2026-03-10T12:00:00Z');
  const gateway = await startTestGateway({ tiers, clock });
  t.after(() => gateway.close());
  const expires_at = '2026-03-11T00:00:00Z';
  const first = await gateway.createLicense({ tier: 'trial', expires_at });
  const second = await gateway.createLicense({ tier: 'trial' });
  const third = await gateway.createLicense({ tier: 'trial' });
  const statusOf = async (license: { licenseKey: string }, device = 'laptop'): Promise<number> =>
    (await activate(gateway, license.licenseKey, device)).status;

  assert.equal(await statusOf(first), 200);
  assert.equal(await statusOf(first), 200, 'again on the same device is no second license');
  assert.equal(await statusOf(second), 403);
  assert.equal(await statusOf(second, 'tablet'), 200, 'another device is free');
  await change(gateway, first.id, 'suspend');
  assert.equal(await statusOf(second), 403, 'a suspended license holds its device');
  await change(gateway, first.id, 'reinstate');
  clock.set(expires_at);
  assert.equal(await statusOf(second), 200, 'an expired one does not');
  assert.equal(await statusOf(third), 403);
  const body = { license_key: second.licenseKey, hardware_id: 'laptop' };
  assert.equal((await gateway.request('/deactivate', { body })).status, 200);
  assert.equal(await statusOf(third), 200, 'a deactivated device is free');
  await change(gateway, third.id, 'revoke');
  assert.equal(await statusOf(second), 200, 'and so is that of a revoked license');
});

it('licenses of other tiers do not count', async (t) => {
  const gateway = await startTestGateway({ tiers });
  t.after(() => gateway.close());
  for (const other of ['trial', 'student', 'pro', 'pro']) {
    const { licenseKey } = await gateway.createLicense({ tier: other });
    assert.equal((await activate(gateway, licenseKey, 'laptop')).status, 200, other);
  }
});
