import assert from 'node:assert/strict';
import { it } from 'node:test';
import { adminBody } from '../support/admin-calls.ts';
import { auditOf } from '../support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { chatStatus } from '../support/proxy-call.ts';

it('within a second on every instance, open streams included; devices come back by activating', async (t) => {
  const one = await startTestGateway();
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const device = await one.device({}, 'hw-1');
  const { licenseId, licenseKey, proxyKey } = device;
  const second = await one.activate(licenseKey, 'hw-2');
  const bystander = await one.device();
  for (const gateway of [one, other]) {
    for (const key of [proxyKey, second, bystander.proxyKey])
      assert.equal(await chatStatus(gateway, key), 200);
  }
  const streams = [await openStream(one, device), await openStream(other, { ...device, proxyKey: second })];
  const askedAt = performance.now();
  const answer = await one.admin(`/licenses/${licenseId}/keys/revoke`, { method: 'POST' });
  assert.deepEqual([answer.status, (answer.body as { revoked?: number }).revoked], [200, 2]);
  for (const stream of streams) {
    const { cut, at } = await stream.over;
    assert.ok(cut && at - askedAt < 1_000, `cut after ${at - askedAt} ms`);
  }
  await eventually(async () => {
    for (const gateway of [one, other]) {
      for (const key of [proxyKey, second]) assert.equal(await chatStatus(gateway, key), 401);
    }
  }, 1_000);
  assert.equal(await chatStatus(other, bystander.proxyKey), 200, 'another license is not meant');
  assert.equal(await chatStatus(other, await one.activate(licenseKey, 'hw-1')), 200);
  const [entry] = await auditOf(one, `?license=${licenseId}`);
  assert.deepEqual([entry?.action, entry?.after?.keys], ['keys.revoked', 2]);
});

it('with grace they work until it is over, and streams go on', async (t) => {
  const clock = new FakeClock('2026-03-10T12:00:00Z');
  const gateway = await startTestGateway({ clock, counters: 'memory' });
  t.after(() => gateway.close());
  const device = await gateway.device({}, 'hw-1');
  const stream = await openStream(gateway, device);
  const path = `/licenses/${device.licenseId}/keys/revoke`;
  const answer = await gateway.admin(path, { body: { grace_seconds: 60 } });
  assert.deepEqual(answer.body, { revoked: 1, work_until: '2026-03-10T12:01:00.000Z' });
  const fresh = await gateway.activate(device.licenseKey, 'hw-1');
  clock.advance(59_999);
  assert.equal(await chatStatus(gateway, device.proxyKey), 200);
  assert.ok(stream.isOpen());
  stream.leave();
  const longer = await gateway.admin(path, { body: { grace_seconds: 3_600 } });
  assert.equal((longer.body as { revoked?: number }).revoked, 2);
  clock.advance(1);
  assert.equal(await chatStatus(gateway, device.proxyKey), 401, 'a longer grace revives nothing');
  assert.equal(await chatStatus(gateway, fresh), 200);
});

it('what is wrong is named, and ends no key', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory' });
  t.after(() => gateway.close());
  const { licenseId, proxyKey } = await gateway.device();
  for (const [body, names] of [
    [{ grace_seconds: -1 }, /^grace_seconds: /],
    [{ grace_seconds: 1.5 }, /^grace_seconds: /],
    [{ grace_seconds: 31_536_001 }, /^grace_seconds: /],
    [{ grace: 60 }, /grace/],
  ] as const) {
    const answer = await gateway.admin(`/licenses/${licenseId}/keys/revoke`, { body });
    assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request'], JSON.stringify(body));
    assert.match(adminBody(answer).error, names);
  }
  assert.equal(await chatStatus(gateway, proxyKey), 200);
});
