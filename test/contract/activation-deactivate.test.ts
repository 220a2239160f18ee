import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

it("a deactivated device's keys die at once, its place is free, and nothing revives them", async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const { licenseKey, proxyKey: first } = await gateway.device({ max_activations: 1 }, 'hw-1');
  const second = await gateway.activate(licenseKey, 'hw-1');
  const deactivate = (hardwareId: string): Promise<{ status: number; text: string }> =>
    gateway.request('/deactivate', { body: { license_key: licenseKey, hardware_id: hardwareId } });
  assert.equal(await chatStatus(gateway, first), 200);

  assert.equal((await deactivate(' hw-1 ')).text, '{"success":true}');
  assert.equal(await chatStatus(gateway, first), 401);
  const again = await deactivate('hw-1');
  assert.deepEqual(
    [again.status, again.text],
    [403, '{"error":"Hardware ID not activated for this license","code":"hardware_not_activated"}'],
  );

  const other = await gateway.activate(licenseKey, 'hw-2');
  assert.equal(await chatStatus(gateway, other), 200);
  await deactivate('hw-2');
  const third = await gateway.activate(licenseKey, 'hw-1');
  const statuses = await Promise.all([first, second, other, third].map((key) => chatStatus(gateway, key)));
  assert.deepEqual(statuses, [401, 401, 401, 200], 'the device is back, its old keys are not');
});

it('a key that another instance has in its memory dies there within a second', async (t) => {
  const one = await startTestGateway();
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const { licenseKey, proxyKey } = await one.device({}, 'hw-1');
  assert.equal(await chatStatus(other, proxyKey), 200);
  const body = { license_key: licenseKey, hardware_id: 'hw-1' };
  assert.equal((await one.request('/deactivate', { body })).status, 200);
  await eventually(async () => assert.equal(await chatStatus(other, proxyKey), 401), 1_000);
});
