import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { readUsage } from '../support/usage-rows.ts';

for (const counters of ['redis', 'memory'] as const) {
  it(`/check tells what a license is worth on a device, and counts nothing (${counters})`, async (t) => {
    const clock = new FakeClock('2026-03-10T12:00:00Z');
    const gateway = await startTestGateway({ counters, clock });
    t.after(() => gateway.close());
    const limits = { daily_limit: 2, monthly_limit: 50, expires_at: '2026-03-12T00:00:00Z' };
    const { licenseId, licenseKey, proxyKey } = await gateway.device(limits, 'hw-1');
    const check = (hardwareId = 'hw-1'): Promise<JsonAnswer> =>
      gateway.request('/check', { body: { license_key: licenseKey, hardware_id: hardwareId } });
    const state = {
      tier: 'pro',
      expires_at: '2026-03-12T00:00:00.000Z',
      usage_today: 0,
      daily_limit: 2,
      usage_this_month: 0,
      monthly_limit: 50,
      reset_at: '2026-03-11T00:00:00.000Z',
    };
    assert.deepEqual((await check()).body, { valid: true, ...state });
    for (const expected of [200, 200, 429]) assert.equal(await chatStatus(gateway, proxyKey), expected);
    for (let round = 0; round < 5; round += 1) await check();
    const used = { ...state, usage_today: 2, usage_this_month: 2 };
    assert.deepEqual((await check()).body, { valid: true, ...used });
    assert.deepEqual((await check('hw-2')).body, {
      valid: false,
      reason: 'hardware_not_activated',
      ...used,
    });

    await gateway.admin(`/licenses/${licenseId}/suspend`, { method: 'POST' });
    assert.deepEqual((await check()).body, { valid: false, reason: 'license_suspended', ...used });
    await gateway.admin(`/licenses/${licenseId}/reinstate`, { method: 'POST' });
    clock.set('2026-03-12T00:00:00Z');
    assert.deepEqual((await check()).body, {
      valid: false,
      reason: 'license_expired',
      ...used,
      usage_today: 0,
      reset_at: '2026-03-13T00:00:00.000Z',
    });
    await gateway.admin(`/licenses/${licenseId}/revoke`, { method: 'POST' });
    const revoked = await check();
    assert.deepEqual([revoked.status, revoked.body.code], [401, 'invalid_license_key']);
    const rows = await readUsage(gateway.gateway.knex, licenseId);
    assert.deepEqual(
      rows.map(({ requests }) => requests),
      [2],
    );
  });
}
