import assert from 'node:assert/strict';
import { it } from 'node:test';
import { adminBody, hardwareIds } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

const ODD = 'a/b ?ü%2F #1';

it('devices are listed with their times, and one that is removed is gone with its keys', async (t) => {
  const clock = new FakeClock('2026-03-10T12:00:00Z');
  const gateway = await startTestGateway({ clock });
  t.after(() => gateway.close());
  const { licenseId, licenseKey, proxyKey } = await gateway.device({ max_activations: 2 }, 'hw-1');
  clock.advance(60_000);
  const odd = await gateway.activate(licenseKey, ODD);
  clock.advance(60_000);
  await gateway.activate(licenseKey, 'hw-1');

  const answer = await gateway.admin(`/licenses/${licenseId}/devices`);
  const devices = [
    {
      hardware_id: 'hw-1',
      activated_at: '2026-03-10T12:00:00.000Z',
      last_activated_at: '2026-03-10T12:02:00.000Z',
    },
    {
      hardware_id: ODD,
      activated_at: '2026-03-10T12:01:00.000Z',
      last_activated_at: '2026-03-10T12:01:00.000Z',
    },
  ];
  assert.deepEqual(answer.body, { data: devices, next_cursor: null });
  assert.deepEqual(adminBody(await gateway.admin(`/licenses/${licenseId}`)).license.devices, devices);

  const path = `/licenses/${licenseId}/devices/${encodeURIComponent(ODD)}`;
  assert.equal((await gateway.admin(path, { method: 'DELETE' })).status, 204);
  assert.deepEqual(await hardwareIds(gateway, licenseId), ['hw-1']);
  assert.deepEqual([await chatStatus(gateway, odd), await chatStatus(gateway, proxyKey)], [401, 200]);
  const again = await gateway.admin(path, { method: 'DELETE' });
  assert.deepEqual([again.status, adminBody(again).code], [404, 'not_found']);
  await gateway.activate(licenseKey, 'hw-3');
  assert.deepEqual(await hardwareIds(gateway, licenseId), ['hw-1', 'hw-3'], 'its place was free');
});

it('the devices of one license are not those of another', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const one = await gateway.device({}, 'hw-same');
  const other = await gateway.device({}, 'hw-same');
  const path = `/licenses/${one.licenseId}/devices/hw-same`;
  assert.equal((await gateway.admin(path, { method: 'DELETE' })).status, 204);
  assert.deepEqual(
    [await chatStatus(gateway, one.proxyKey), await chatStatus(gateway, other.proxyKey)],
    [401, 200],
  );
});
