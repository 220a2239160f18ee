import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { openStream } from '../support/open-stream.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { layLine } from '../support/tcp-line.ts';

it('a revocation that an instance could not look at, its database being away, cuts streams once it is back', async (t) => {
  const { url } = await createTestDatabase();
  const line = await layLine(url);
  t.after(() => line.close());
  const one = await startTestGateway({ env: { DATABASE_URL: url } });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one, env: { DATABASE_URL: line.url } });
  t.after(() => other.close());
  const device = await one.device();
  const stream = await openStream(other, device);
  line.lose();
  const revoked = await one.admin(`/licenses/${device.licenseId}/revoke`, { method: 'POST' });
  assert.equal(revoked.status, 200);
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // the announcement comes, and its review fails
  assert.ok(stream.isOpen());
  line.restore();
  const restoredAt = performance.now();
  const { cut, at } = await stream.over;
  assert.ok(cut);
  t.diagnostic(`cut ${Math.round(at - restoredAt)} ms after the database's return`);
});
