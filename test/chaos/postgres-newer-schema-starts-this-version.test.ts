import assert from 'node:assert/strict';
import { it } from 'node:test';
import pg from 'pg';
import { startTestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { usageOf } from '../support/usage-rows.ts';

it('on a schema that a newer version has expanded this version goes on, and starts', async (t) => {
  const running = await startTestGateway();
  t.after(() => running.close());
  const client = new pg.Client({ connectionString: running.env.DATABASE_URL });
  await client.connect();
  t.after(() => client.end());
  await client.query(`
    ALTER TABLE licenses ADD COLUMN region text NOT NULL DEFAULT 'eu';
    ALTER TABLE usage ADD COLUMN tokens bigint;
    CREATE TABLE regions (name text PRIMARY KEY);
    INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('9999-regions', 2, now());
  `);

  const started = await startTestGateway({ joins: running });
  t.after(() => started.close());
  for (const gateway of [running, started]) {
    const device = await gateway.device();
    assert.equal(await chatStatus(gateway, device.proxyKey), 200);
    await usageOf(gateway.gateway.knex, device, [{ requests: 1 }]);
  }
  const { rows } = await client.query("SELECT 1 FROM knex_migrations WHERE name = '9999-regions'");
  assert.equal(rows.length, 1, 'what the newer version did is not forgotten');
});
