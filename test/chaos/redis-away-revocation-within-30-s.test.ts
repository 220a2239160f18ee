import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';

const tiers = `
[tiers.lenient]
name = "Lenient"
daily_limit = 1000
monthly_limit = 1000
max_devices = 3
on_counter_outage = "allow"
outage_allowance = 1000
`;

const waysToBeAway = [
  ['hangs', 'pause', 'resume'],
  ['is gone', 'kill', 'restart'],
] as const;

const isLong = process.env.TEST_CHAOS === 'long';
/** The time that a session is trusted for without news; the short form does not wait for it. Milliseconds. */
const TRUSTED_FOR = 15_000;

// Contract §6: who cannot be told of a revocation finds out by asking the database again.
for (const [what, begin, end] of waysToBeAway) {
  it(`while Redis ${what} a revocation is in force on every instance within 30 seconds`, async (t) => {
    const redis = await startOwnRedis();
    t.after(() => redis.stop());
    const clock = isLong ? undefined : new FakeClock(new Date().toISOString());
    const options = { tiers, ...(clock !== undefined && { clock }) };
    const env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' };
    const one = await startTestGateway({ env, ...options });
    t.after(() => one.close());
    const other = await startTestGateway({ joins: one, ...options });
    t.after(() => other.close());
    const device = await one.device({ tier: 'lenient' });
    const bystander = await one.device({ tier: 'lenient' });
    const [stream, kept] = [await openStream(other, device), await openStream(other, bystander)];
    assert.equal(await chatStatus(other, device.proxyKey), 200);
    await redis[begin]();
    const revokedAt = performance.now();
    const answer = await one.admin(`/licenses/${device.licenseId}/revoke`, { method: 'POST' });
    assert.equal(answer.status, 200, 'the database is there, so it is revoked');
    clock?.advance(TRUSTED_FOR);
    const refusedAfter = eventually(async () => {
      assert.equal(await chatStatus(other, device.proxyKey), 401);
      return performance.now() - revokedAt;
    }, 35_000);
    const [refused, { cut, at }] = await Promise.all([refusedAfter, stream.over]);
    assert.ok(cut);
    t.diagnostic(
      `Redis ${what}: refused after ${Math.round(refused)} ms, stream cut after ${Math.round(at - revokedAt)} ms ` +
        `${isLong ? '' : `beyond ${TRUSTED_FOR} ms that were skipped `}(promised 30000)`,
    );
    const skipped = isLong ? 0 : TRUSTED_FOR;
    assert.ok(Math.max(refused, at - revokedAt) + skipped < 30_000);
    assert.ok(kept.isOpen(), 'others are not concerned');
    await redis[end]();
    kept.leave();
    await kept.over;
  });
}
