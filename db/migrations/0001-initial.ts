import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.schema.createTable('installation', (table) => {
    table.comment('What every instance of one installation shares, made once.');
    table.text('name').primary();
    table.binary('value').notNullable();
  });
  await createLicenses(db);
  await createDevicesAndKeys(db);
  await createLedger(db);
}

async function createLicenses(db: Knex): Promise<void> {
  await db.schema.createTable('licenses', (table) => {
    table.text('id').primary().comment('public id, lic_…');
    table.binary('key_hash').notNullable().unique().comment('SHA-256 of the license key');
    table.text('key_prefix').notNullable();
    table.text('email').notNullable();
    table.text('name').notNullable();
    table.text('tier').notNullable();
    table.text('status').notNullable().defaultTo('active').checkIn(['active', 'suspended', 'revoked']);
    table.timestamp('expires_at', { useTz: true });
    table.bigInteger('daily_limit').comment('null: the tier decides; -1: unlimited');
    table.bigInteger('monthly_limit');
    table.integer('max_activations');
    table.timestamp('created_at', { useTz: true }).notNullable();
    table.timestamp('updated_at', { useTz: true }).notNullable();
    table.index(['created_at', 'id']);
    table.index(['email']);
    table.index(['tier']);
  });
}

async function createDevicesAndKeys(db: Knex): Promise<void> {
  await db.schema.createTable('devices', (table) => {
    table.bigIncrements('id');
    table.text('license_id').notNullable().references('licenses.id').onDelete('CASCADE');
    table.text('hardware_id').notNullable();
    table.timestamp('activated_at', { useTz: true }).notNullable();
    table.timestamp('last_activated_at', { useTz: true }).notNullable();
    table.timestamp('removed_at', { useTz: true }).comment('set: no longer counts, its usage rows stay');
    table.unique(['license_id', 'hardware_id']);
  });
  await db.schema.createTable('proxy_keys', (table) => {
    table.bigIncrements('id');
    table.binary('key_hash').notNullable().unique().comment('SHA-256 of the proxy key');
    table.text('key_prefix').notNullable();
    table.bigInteger('device_id').notNullable().references('devices.id').onDelete('CASCADE');
    table.timestamp('created_at', { useTz: true }).notNullable();
    table.timestamp('expires_at', { useTz: true }).comment('set by a rotation: the end of its grace');
    table.index(['device_id']);
  });
}

async function createLedger(db: Knex): Promise<void> {
  await db.schema.createTable('usage', (table) => {
    table.text('license_id').notNullable();
    table.date('day').notNullable().comment('UTC');
    table.bigInteger('device_id').notNullable();
    table.text('provider').notNullable();
    table.text('model').notNullable().comment("'' where the request names none");
    table.bigInteger('requests').notNullable().comment('what counts against the limits, refunds taken off');
    table.bigInteger('refunded').notNullable();
    table.primary(['license_id', 'day', 'device_id', 'provider', 'model']);
  });
  await db.schema.createTable('ledger_offsets', (table) => {
    table.comment(
      'How far each source of usage events has been folded in: written with the sums, in one transaction.',
    );
    table.text('source').primary().comment('a Redis partition, p00 to p63, or an in-process counter');
    table.text('dataset').notNullable().comment('which life of that source: a wiped Redis starts another');
    table.text('last_id').notNullable();
  });
}

export async function down(db: Knex): Promise<void> {
  for (const table of ['ledger_offsets', 'usage', 'proxy_keys', 'devices', 'licenses', 'installation']) {
    await db.schema.dropTable(table);
  }
}
