import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import {
  asAdministratorOf,
  assertShows,
  rememberKeysIn,
  type CliOptions,
  type CliResult,
} from '../support/cli.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

let gateway: TestGateway;
let device: TestDevice;
let run: (args: string[], options?: CliOptions) => Promise<CliResult>;
before(async () => {
  gateway = await startTestGateway();
  run = asAdministratorOf(gateway);
  device = await gateway.device({ name: 'Ada', email: 'ada@example.com' }, 'ada-laptop');
});
after(() => gateway.close());

const activates = async (licenseKey: string): Promise<number> => {
  const body = { license_key: licenseKey, hardware_id: 'ada-laptop' };
  return (await gateway.request('/check', { body })).status;
};

it('license reissue asks, then prints a new key, and the old one is dead', async () => {
  const args = ['license', 'reissue', device.licenseId];
  assert.equal((await run(args)).code, 2);
  const asked = await run(args, { answer: 'n' });
  assert.equal(asked.code, 1);
  assert.match(asked.err, /of Ada <ada@example\.com>, in use on 1 device\? Devices go on/);
  assert.equal(await activates(device.licenseKey), 200);
  const { code, out } = await run(args, { answer: 'y' });
  rememberKeysIn(out);
  assert.equal(code, 0);
  const next = /LIC(?:-[0-9A-Z]{5}){5}/.exec(out)?.[0] ?? '';
  assertShows(out, /It is shown only now\. The key before is dead/);
  assert.deepEqual([await activates(device.licenseKey), await activates(next)], [401, 200]);
  assert.equal(await chatStatus(gateway, device.proxyKey), 200);
  const json = await run([...args, '--yes', '--json']);
  rememberKeysIn(json.out);
  device = { ...device, licenseKey: (JSON.parse(json.out) as { license_key: string }).license_key };
});

it('license rotate-keys asks, then ends the keys of all devices, at once or with grace', async () => {
  const args = ['license', 'rotate-keys', device.licenseId];
  assert.equal((await run(args)).code, 2);
  assert.match(
    (await run(args, { answer: '' })).err,
    /at once, and cut open streams\? Each device has to activate/,
  );
  assert.equal(await chatStatus(gateway, device.proxyKey), 200);
  const graceful = await run([...args, '--grace', '3600', '--yes']);
  assert.match(graceful.out, /^1 proxy key will end, the last at 20\S+Z\.\n$/);
  assert.equal(await chatStatus(gateway, device.proxyKey), 200);
  const ended = await run([...args, '--yes']);
  assert.deepEqual([ended.code, ended.out], [0, '1 proxy key ended.\n']);
  assert.equal(await chatStatus(gateway, device.proxyKey), 401);
  const fresh = await gateway.activate(device.licenseKey, 'ada-laptop');
  assert.equal(await chatStatus(gateway, fresh), 200);
  const json = JSON.parse((await run([...args, '--yes', '--json'])).out) as { revoked: number };
  assert.equal(json.revoked, 1);
});

it('license update --if-match changes only the version that was seen', async () => {
  const { licenseId } = device;
  const { license } = JSON.parse((await run(['license', 'show', licenseId, '--json'])).out) as {
    license: { version: number };
  };
  const seen = String(license.version);
  const update = (name: string, version: string): Promise<CliResult> =>
    run(['license', 'update', licenseId, '--name', name, '--if-match', version]);
  assert.equal((await update('First', seen)).code, 0);
  const late = await update('Second', `"v${seen}"`);
  assert.equal(late.code, 1);
  assert.match(
    late.err,
    /has changed since you read it \(its ETag is "v\d+" now\): read it again, then repeat/,
  );
  assert.match((await run(['license', 'show', licenseId])).out, /customer\tFirst/);
  assert.equal((await update('Third', 'x')).code, 2);
});
