import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { chatStatus } from '../support/proxy-call.ts';

/** Contract §6. Milliseconds. */
const EVERYWHERE_WITHIN = 1_000;

const causes: [cause: string, end: (by: TestGateway, device: TestDevice) => Promise<number>, then: number][] =
  [
    ['suspending the license', (by, { licenseId }) => change(by, licenseId, 'suspend'), 403],
    ['revoking the license', (by, { licenseId }) => change(by, licenseId, 'revoke'), 401],
    [
      'removing the device',
      async (by, { licenseId, hardwareId }) =>
        (await by.admin(`/licenses/${licenseId}/devices/${hardwareId}`, { method: 'DELETE' })).status,
      401,
    ],
    [
      'deactivating the device',
      async (by, { licenseKey, hardwareId }) => {
        const body = { license_key: licenseKey, hardware_id: hardwareId };
        return (await by.request('/deactivate', { body })).status;
      },
      401,
    ],
  ];

describe('two gateways of one installation', () => {
  let one: TestGateway;
  let other: TestGateway;
  before(async () => {
    one = await startTestGateway();
    other = await startTestGateway({ joins: one });
  });
  after(async () => {
    await other.close();
    await one.close();
  });

  for (const [cause, end, then] of causes) {
    it(`${cause} on one cuts the open streams of both within 1 s, and no others`, async () => {
      const device = await one.device();
      const bystander = await one.device();
      const streams = await Promise.all([
        openStream(one, device),
        openStream(other, device),
        openStream(other, device, { form: 'envelope' }),
      ]);
      const untouched = [await openStream(one, bystander), await openStream(other, bystander)];
      assert.equal(one.simulator.openRequests(), 5);

      const began = performance.now();
      assert.ok((await end(one, device)) < 300);
      for (const { cut, at } of await Promise.all(streams.map(({ over }) => over))) {
        assert.ok(cut, 'a stream that was cut does not look complete');
        assert.ok(at - began < EVERYWHERE_WITHIN, `cut after ${Math.round(at - began)} ms`);
      }
      await eventually(
        () => assert.equal(one.simulator.openRequests(), 2, 'and the provider was left'),
        5_000,
      );
      for (const gateway of [one, other]) assert.equal(await chatStatus(gateway, device.proxyKey), then);
      assert.ok(untouched.every((stream) => stream.isOpen()));
      for (const stream of untouched) stream.leave();
      await eventually(() => assert.equal(one.simulator.openRequests(), 0), 5_000);
    });
  }
});
