import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

// litellm#27193: a rotated key was rejected within its grace, by whichever instance had not heard of it before.
it('a rotated key works until its grace ends: where it was known, where it was not, and after a restart', async (t) => {
  const clock = new FakeClock('2026-03-10T12:00:00Z');
  const env = { PROXY_KEY_GRACE_SECONDS: '300' };
  const one = await startTestGateway({ clock, env });
  t.after(() => one.close());
  const [known, unknown] = [
    await startTestGateway({ joins: one, clock }),
    await startTestGateway({ joins: one, clock }),
  ];
  t.after(() => Promise.all([known.close(), unknown.close()]));
  const { licenseKey, proxyKey } = await one.device();
  assert.equal(await chatStatus(known, proxyKey), 200);

  const next = await one.activate(licenseKey, 'hw-test');
  const started = await startTestGateway({ joins: one, clock });
  t.after(() => started.close());
  const gateways = [one, known, unknown, started];
  const statuses = async (key: string): Promise<number[]> =>
    Promise.all(gateways.map((gateway) => chatStatus(gateway, key)));

  for (const moment of ['12:00:00.001', '12:02:30', '12:04:59.999']) {
    clock.set(`2026-03-10T${moment}Z`);
    assert.deepEqual(await statuses(proxyKey), [200, 200, 200, 200], moment);
    assert.deepEqual(await statuses(next), [200, 200, 200, 200]);
  }
  clock.set('2026-03-10T12:05:00Z');
  assert.deepEqual(await statuses(proxyKey), [401, 401, 401, 401]);
  assert.deepEqual(await statuses(next), [200, 200, 200, 200]);
});
