import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

/** More than the license endpoints have connections. */
const LICENSES = 20;
/** Longer than it takes to find out that a database is away. Milliseconds. */
const HELD = 1_500;

it('locked licenses take every connection of their endpoints: requests are served, and nobody is told 503', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const cached = await gateway.device();
  const uncached = await gateway.device();
  assert.equal(await chatStatus(gateway, cached.proxyKey), 200);
  const licenses = await Promise.all(Array.from({ length: LICENSES }, () => gateway.createLicense()));

  const connectionString = gateway.env.DATABASE_URL;
  const [holder, watcher] = [new pg.Client({ connectionString }), new pg.Client({ connectionString })];
  for (const client of [holder, watcher]) {
    await client.connect();
    t.after(() => client.end());
  }
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM licenses FOR UPDATE');
  const activations = licenses.map(({ licenseKey }) => gateway.activate(licenseKey, 'hw-late'));
  const over = Promise.allSettled(activations);
  const waiting = `SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await eventually(async () => {
    const { rows } = await watcher.query<{ count: number }>(waiting);
    assert.equal(rows[0]?.count, 8, 'the connections are not all in use');
  }, 10_000);

  const began = performance.now();
  assert.equal(await chatStatus(gateway, uncached.proxyKey), 200);
  const first = performance.now() - began;
  assert.equal(await chatStatus(gateway, cached.proxyKey), 200);
  t.diagnostic(`a key that had to be looked up was served in ${first.toFixed(0)} ms`);
  const ready = await fetch(`${gateway.internalUrl}/health/ready`);
  assert.deepEqual(await ready.json(), { status: 'ok' });

  await sleep(HELD);
  assert.equal(await chatStatus(gateway, uncached.proxyKey), 200);
  await holder.query('COMMIT');
  assert.deepEqual(
    (await over).filter(({ status }) => status === 'rejected'),
    [],
    'waiting for a lock was taken for an outage',
  );
});
