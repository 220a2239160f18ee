import assert from 'node:assert/strict';
import { it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';

const gold = '[tiers.gold]\nname = "Gold"\ndaily_limit = 9\nmonthly_limit = 9\nmax_devices = 1\n';

it('a gateway that starts without the tier of a license says so, and refuses the license with 503', async (t) => {
  const before = await startTestGateway({ tiers: gold });
  t.after(() => before.close());
  const device = await before.device({ tier: 'gold' });
  const revoked = await before.device({ tier: 'gold' });
  await change(before, revoked.licenseId, 'revoke');

  const gateway = await startTestGateway({ joins: before });
  t.after(() => gateway.close());
  const told = gateway.logLines().find((line) => String(line.msg).startsWith('the tiers lack some'));
  assert.match(String(told?.problems), /no tier "gold", which 1 license has: .*tier migrate gold/);

  const activation = { license_key: device.licenseKey, hardware_id: device.hardwareId };
  const answers = [
    await chat(gateway, device.proxyKey),
    await gateway.request('/activate', { body: activation }),
  ];
  for (const { status, body, headers } of answers) {
    const { code } = (body as { error?: { code?: string } }).error ?? {};
    assert.deepEqual([status, code ?? body.code], [503, 'tier_not_configured']);
    assert.equal(headers.get('retry-after'), '60');
  }
  const { body } = await gateway.request('/check', { body: activation });
  assert.deepEqual([body.valid, body.reason], [false, 'tier_not_configured']);

  // With limits of its own it owes its tier nothing.
  await change(gateway, device.licenseId, { daily_limit: 5, monthly_limit: 5, max_activations: 1 });
  assert.equal((await chat(gateway, device.proxyKey)).status, 200);
});

it('a change that drops a tier is refused while a license has it, and taken when none has', async (t) => {
  const gateway = await startTestGateway({ tiers: gold });
  t.after(() => gateway.close());
  const other = new Map(
    [...gateway.gateway.tiers.current()].map(([, tier]) => ['silver', { ...tier, id: 'silver' }]),
  );
  const { licenseId, proxyKey } = await gateway.device({ tier: 'gold' });
  assert.equal(await gateway.gateway.tiers.replace(other), false);
  assert.equal((await chat(gateway, proxyKey)).status, 200);
  await change(gateway, licenseId, 'revoke');
  assert.equal(await gateway.gateway.tiers.replace(other), true);
  assert.deepEqual([...gateway.gateway.tiers.current().keys()], ['silver']);
  assert.equal((await gateway.admin(`/licenses/${licenseId}`)).status, 200, 'it can still be looked at');
});
