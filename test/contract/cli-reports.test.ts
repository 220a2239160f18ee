import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { asAdministratorOf, type CliOptions, type CliResult } from '../support/cli.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { adminDocument } from '../support/openapi.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { waitUntil } from '../support/recorded-usage.ts';

let gateway: TestGateway;
let device: TestDevice;
let run: (args: string[], options?: CliOptions) => Promise<CliResult>;
before(async () => {
  gateway = await startTestGateway();
  run = asAdministratorOf(gateway);
  device = await gateway.device();
});
after(() => gateway.close());

it('usage is rows of the keys that were asked for: a table, columns, or JSON', async () => {
  const nothing = await run(['usage', '--license', device.licenseId]);
  assert.deepEqual([nothing.code, nothing.out, nothing.err], [0, '', 'Nothing was used in that time.\n']);
  assert.equal(await chatStatus(gateway, device.proxyKey), 200);
  const args = ['usage', '--license', device.licenseId, '--group-by', 'license,provider,model'];
  const { out } = await waitUntil(async () => {
    const result = await run(args);
    assert.notEqual(result.out, '');
    return result;
  });
  assert.equal(
    out,
    `license\tprovider\tmodel\trequests\trefunded\n${device.licenseId}\topenai\tgpt-4o\t1\t0\n`,
  );
  assert.match((await run(args, { isInteractive: true })).out, /^┌─+┬/);
  const page = JSON.parse((await run([...args, '--json'])).out) as { data: object[] };
  assert.deepEqual(page.data, [
    { license: device.licenseId, provider: 'openai', model: 'gpt-4o', requests: 1, refunded: 0 },
  ]);
  const wrong = await run(['usage', '--group-by', 'device']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^group_by: there is no "device"; there are day, license, provider, model/);
  for (const bad of [
    ['--from', '2026-02-30x'],
    ['--to', 'today'],
    ['--limit', '0'],
  ]) {
    assert.equal((await run(['usage', ...bad])).code, 2, bad.join(' '));
  }
});

it('audit tells who changed what, from what to what', async () => {
  const { licenseId } = device;
  await run(['license', 'update', licenseId, '--daily-limit', '2000']);
  const { out } = await run(['audit', '--license', licenseId]);
  assert.match(out, /^at\twho\tfrom\twhat\tof\tchange\n/);
  const line = new RegExp(
    `^20\\S+Z\tADMIN_TOKEN \\(admin\\)\t127\\.0\\.0\\.1\tlicense\\.updated\t${licenseId}\tdaily_limit: null → 2000$`,
    'm',
  );
  assert.match(out, line);
  const page = await run(['audit', '--limit', '1', '--json']);
  const { data, next_cursor: cursor } = JSON.parse(page.out) as { data: object[]; next_cursor: string };
  assert.equal(data.length, 1);
  const next = await run(['audit', '--limit', '1', '--cursor', cursor]);
  assert.match(next.out, /license\.created/);
  assert.deepEqual((await run(['audit', '--actor', 'nobody'])).err, 'There are no such changes.\n');
  assert.equal((await run(['audit', '--from', 'yesterday'])).code, 2);
});

it('openapi prints the document', async () => {
  const { code, out } = await run(['openapi'], { env: { ADMIN_TOKEN: undefined } });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out), adminDocument);
});
