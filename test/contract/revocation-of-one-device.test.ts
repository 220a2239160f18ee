import assert from 'node:assert/strict';
import { it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { chatStatus } from '../support/proxy-call.ts';

for (const counters of ['redis', 'memory'] as const) {
  it(`removing one device leaves the streams of the license's others (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters });
    t.after(() => gateway.close());
    const device = await gateway.device({}, 'hw-1');
    const proxyKey = await gateway.activate(device.licenseKey, 'hw-2');
    const [gone, stays] = [
      await openStream(gateway, device),
      await openStream(gateway, { ...device, proxyKey, hardwareId: 'hw-2' }),
    ];
    const path = `/licenses/${device.licenseId}/devices/hw-1`;
    assert.equal((await gateway.admin(path, { method: 'DELETE' })).status, 204);
    assert.equal((await gone.over).cut, true);
    // A change that comes later has gone through, and still nothing has happened to the other.
    await change(gateway, device.licenseId, { name: 'Renamed' });
    assert.equal(await chatStatus(gateway, proxyKey), 200);
    assert.ok(stays.isOpen());
    stays.leave();
  });

  it(`a rotation and a change of limits cut no stream (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters });
    t.after(() => gateway.close());
    const device = await gateway.device({}, 'hw-1');
    const stream = await openStream(gateway, device);
    const next = await gateway.activate(device.licenseKey, 'hw-1');
    await change(gateway, device.licenseId, { daily_limit: 1 });
    assert.equal(await chatStatus(gateway, next), 429);
    assert.ok(stream.isOpen(), 'a grace is one for streams too');
    await change(gateway, device.licenseId, 'suspend');
    assert.equal((await stream.over).cut, true, 'the old key is watched on');
  });
}

it('a request that still waits for the provider is cut off too', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const device = await gateway.device();
  const waiting = chatStatus(gateway, device.proxyKey, { 'x-simulate': 'hang=before-headers' });
  const outcome = waiting.then(
    (status) => `answered ${status}`,
    () => 'cut',
  );
  await gateway.simulator.waitForRequest();
  await change(gateway, device.licenseId, 'revoke');
  assert.equal(await outcome, 'cut');
  await eventually(() => assert.equal(gateway.simulator.openRequests(), 0), 5_000);
});
