import assert from 'node:assert/strict';
import { it } from 'node:test';
import pg from 'pg';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';

const FLOOD = 20;

it('activations of one license that have to wait leave the database to everybody else', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const others = await gateway.device();
  const { id, licenseKey } = await gateway.createLicense({ max_activations: -1 });
  const blocker = new pg.Client({ connectionString: gateway.env.DATABASE_URL });
  await blocker.connect();
  t.after(() => blocker.end());
  await blocker.query('BEGIN');
  await blocker.query('SELECT 1 FROM licenses WHERE id = $1 FOR UPDATE', [id]);

  const flood = Array.from({ length: FLOOD }, (_, index) =>
    gateway.request('/activate', { body: { license_key: licenseKey, hardware_id: `hw-${index}` } }),
  );
  await eventually(async () => {
    const [, open] = /^licensify_open_requests (\d+)$/m.exec(await gateway.metrics()) ?? [];
    assert.ok(Number(open) >= FLOOD, `${open} requests are open`);
  }, 10_000);
  assert.equal(await chatStatus(gateway, others.proxyKey), 200, 'a key that had to be looked up');

  await blocker.query('ROLLBACK');
  const answers = await Promise.all(flood);
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
});
