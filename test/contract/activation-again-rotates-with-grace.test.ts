import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hardwareIds } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

for (const shape of [
  { counters: 'redis', database: 'postgres' },
  { counters: 'memory', database: 'embedded' },
] as const) {
  it(`the same hardware again is a rotation, and its earlier keys die after their grace (${shape.database})`, async (t) => {
    const clock = new FakeClock('2026-03-10T12:00:00Z');
    const gateway = await startTestGateway({ ...shape, clock, env: { PROXY_KEY_GRACE_SECONDS: '60' } });
    t.after(() => gateway.close());
    const { id, licenseKey } = await gateway.createLicense({ max_activations: 1 });
    const statuses = (): Promise<number[]> => Promise.all(keys.map((key) => chatStatus(gateway, key)));

    const keys = [await gateway.activate(licenseKey, 'hw-1')];
    clock.advance(10_000);
    keys.push(await gateway.activate(licenseKey, ' hw-1 '));
    clock.advance(20_000);
    keys.push(await gateway.activate(licenseKey, 'hw-1'));
    assert.equal(new Set(keys).size, 3);
    assert.equal((await hardwareIds(gateway, id)).length, 1);

    assert.deepEqual(await statuses(), [200, 200, 200]);
    clock.set('2026-03-10T12:01:09.999Z');
    assert.deepEqual(await statuses(), [200, 200, 200], 'the last moment of the first key');
    clock.set('2026-03-10T12:01:10Z');
    assert.deepEqual(await statuses(), [401, 200, 200], 'a later rotation did not prolong its grace');
    clock.set('2026-03-10T12:01:30Z');
    assert.deepEqual(await statuses(), [401, 401, 200]);
    clock.set('2027-03-10T12:00:00Z');
    assert.deepEqual(await statuses(), [401, 401, 200], 'the key in force does not age');
  });
}

it('without grace the earlier key dies at once, on an instance that knew it too', async (t) => {
  const env = { PROXY_KEY_GRACE_SECONDS: '0' };
  const one = await startTestGateway({ env });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const { licenseKey, proxyKey } = await one.device();
  assert.equal(await chatStatus(one, proxyKey), 200);
  assert.equal(await chatStatus(other, proxyKey), 200);
  const next = await one.activate(licenseKey, 'hw-test');
  assert.equal(await chatStatus(one, proxyKey), 401);
  const deadline = performance.now() + 1_000;
  while ((await chatStatus(other, proxyKey)) !== 401) assert.ok(performance.now() < deadline, 'within 1 s');
  assert.equal(await chatStatus(other, next), 200);
});

it('B17: twenty activations of one device at once give twenty keys that work, and one device', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const { id, licenseKey } = await gateway.createLicense({ max_activations: 1 });
  const keys = await Promise.all(Array.from({ length: 20 }, () => gateway.activate(licenseKey, 'hw-1')));
  assert.equal(new Set(keys).size, 20);
  const statuses = await Promise.all(keys.map((key) => chatStatus(gateway, key)));
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal((await hardwareIds(gateway, id)).length, 1);
});
