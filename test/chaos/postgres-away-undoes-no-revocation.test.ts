import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { layLine } from '../support/tcp-line.ts';

const MINUTE = 60_000;

it('while the database is away a session serves for ten minutes, unless its license was changed before', async (t) => {
  const line = await layLine((await createTestDatabase()).url);
  t.after(() => line.close());
  const clock = new FakeClock('2026-03-10T12:00:00Z');
  const gateway = await startTestGateway({ clock, env: { DATABASE_URL: line.url } });
  t.after(() => gateway.close());
  const [untouched, suspended] = [await gateway.device(), await gateway.device()];
  for (const { proxyKey } of [untouched, suspended]) assert.equal(await chatStatus(gateway, proxyKey), 200);
  assert.equal(
    (await gateway.admin(`/licenses/${suspended.licenseId}/suspend`, { method: 'POST' })).status,
    200,
  );

  line.lose();
  assert.equal(await chatStatus(gateway, suspended.proxyKey), 503, 'nobody can tell any more');
  assert.equal(await chatStatus(gateway, untouched.proxyKey), 200);
  clock.advance(9 * MINUTE);
  assert.equal(await chatStatus(gateway, untouched.proxyKey), 200);
  assert.equal(await chatStatus(gateway, suspended.proxyKey), 503);
  clock.advance(MINUTE);
  assert.equal(await chatStatus(gateway, untouched.proxyKey), 503, 'too old to be believed');
});
