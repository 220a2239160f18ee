import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { Tiers } from '../../src/licensing/tiers.ts';
import { parseTiers } from '../../src/licensing/tiers-file.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';

const withLimit = (limit: number): string =>
  `[tiers.basic]\nname = "Basic"\ndaily_limit = ${limit}\nmonthly_limit = -1\nmax_devices = ${limit}\n`;

function tiers(source: string): Tiers {
  const read = parseTiers(source, 'tiers.toml');
  assert.ok(read.ok);
  return read.tiers;
}

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ tiers: withLimit(2) });
});
after(() => gateway.close());

it("a tier's limit that is raised or lowered in mid-day decides the next request", async () => {
  const { proxyKey } = await gateway.device({ tier: 'basic' });
  const chats = async (times: number): Promise<number[]> => {
    const statuses: number[] = [];
    for (let turn = 0; turn < times; turn += 1) statuses.push((await chat(gateway, proxyKey)).status);
    return statuses;
  };
  assert.deepEqual(await chats(3), [200, 200, 429]);
  assert.equal(await gateway.gateway.tiers.replace(tiers(withLimit(4))), true);
  assert.deepEqual(await chats(3), [200, 200, 429], 'what was refused had not been counted');
  await gateway.gateway.tiers.replace(tiers(withLimit(1)));
  const refused = await chat(gateway, proxyKey);
  assert.match(refused.text, /Daily limit of 1 requests exceeded\. Current usage: 4/);
});

it('fewer devices take nothing from those that are activated, and let no other in', async () => {
  await gateway.gateway.tiers.replace(tiers(withLimit(2)));
  const { licenseKey, proxyKey } = await gateway.device({ tier: 'basic' }, 'one');
  await gateway.activate(licenseKey, 'two');
  await gateway.gateway.tiers.replace(tiers(withLimit(1)));
  assert.equal((await chat(gateway, proxyKey)).status, 200);
  const body = { license_key: licenseKey, hardware_id: 'three' };
  assert.equal((await gateway.request('/activate', { body })).body.code, 'device_limit_reached');
  await gateway.activate(licenseKey, 'two');
});

it("a license's own limit stays, whatever becomes of its tier's", async () => {
  const { proxyKey } = await gateway.device({ tier: 'basic', daily_limit: 3 });
  await gateway.gateway.tiers.replace(tiers(withLimit(50)));
  assert.equal((await chat(gateway, proxyKey)).headers.get('x-ratelimit-limit'), '3');
});

it('changes are counted in /metrics', async () => {
  assert.match(await gateway.metrics(), /licensify_tiers_changes_total\{outcome="replaced"\} 5/);
});
