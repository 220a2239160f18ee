import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { layLine } from '../support/tcp-line.ts';
import { usageOf } from '../support/usage-rows.ts';

/** Far below the half minute after which an orchestrator kills. Milliseconds. */
const PROMPTLY = 5_000;

it('a gateway that is asked to stop while the database hangs stops all the same, and nothing is lost', async (t) => {
  const database = await createTestDatabase();
  const other = await startTestGateway({ env: { DATABASE_URL: database.url } });
  t.after(() => other.close());
  const line = await layLine(database.url);
  t.after(() => line.close());
  const stopping = await startTestGateway({ joins: other, env: { DATABASE_URL: line.url } });
  t.after(() => stopping.close());
  const device = await stopping.device();
  assert.equal(await chatStatus(stopping, device.proxyKey), 200);

  line.lose();
  assert.equal(await chatStatus(stopping, device.proxyKey), 200);
  const began = performance.now();
  await stopping.close();
  const took = performance.now() - began;
  t.diagnostic(`stopped in ${took.toFixed(0)} ms`);
  assert.ok(took < PROMPTLY);
  await usageOf(other.gateway.knex, device, [{ requests: 2 }]);
});
