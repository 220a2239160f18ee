import type { Knex } from 'knex';

/** Where webhooks go, the outbox of what happened, and what became of each delivery. */
export async function up(db: Knex): Promise<void> {
  await createEndpoints(db);
  await createOutbox(db);
  await createScans(db);
  await db.schema.alterTable('licenses', (table) => {
    table.index(['expires_at'], 'licenses_expires_at_index', { predicate: db.whereNotNull('expires_at') });
  });
  await db.schema.alterTable('usage', (table) =>
    table.index(['day', 'license_id'], 'usage_day_license_id_index'),
  );
}

async function createEndpoints(db: Knex): Promise<void> {
  await db.schema.createTable('webhook_endpoints', (table) => {
    table.text('id').primary().comment('public id, whe_…');
    table.text('url').notNullable();
    table.text('description').notNullable().defaultTo('');
    table.jsonb('events').notNullable().comment('types of events; "*" stands for all');
    table.boolean('enabled').notNullable().defaultTo(true);
    table.text('disabled_reason').comment('set where it was not an administrator who disabled it');
    table.binary('secret').notNullable().comment('encrypted, as is the one before');
    table.binary('previous_secret').comment('signs too until previous_secret_until');
    table.timestamp('previous_secret_until', { useTz: true });
    table.timestamp('created_at', { useTz: true }).notNullable();
    table.timestamp('updated_at', { useTz: true }).notNullable();
  });
}

async function createOutbox(db: Knex): Promise<void> {
  await db.schema.createTable('webhook_events', (table) => {
    table.text('id').primary().comment('public id, evt_…: the webhook-id header');
    table.text('type').notNullable();
    table.text('license_id').comment('null: it concerns none');
    table.text('once_key').unique().comment('set: what it names happens once, whoever finds it');
    table.text('payload').notNullable().comment('the body, to the byte: it is signed');
    table.timestamp('created_at', { useTz: true }).notNullable();
    table.index(['created_at']);
  });
  await db.schema.createTable('webhook_deliveries', (table) => {
    table.text('id').primary().comment('public id, whd_…');
    table.text('event_id').notNullable().references('webhook_events.id').onDelete('CASCADE');
    // No reference: a license that changes while its endpoint is being removed must not fail for it.
    table.text('endpoint_id').notNullable();
    table.text('status').notNullable().checkIn(['pending', 'delivered', 'failed']);
    table.integer('attempts').notNullable().defaultTo(0);
    table
      .timestamp('next_attempt_at', { useTz: true })
      .notNullable()
      .comment('while an attempt is under way: when it counts as lost');
    table.text('claim').comment('names the attempt under way; null: there is none');
    table.timestamp('last_attempt_at', { useTz: true });
    table.integer('response_status');
    table.text('error').comment('why the last attempt failed');
    table.text('response_excerpt').comment('the beginning of what a failed attempt was answered');
    table.timestamp('created_at', { useTz: true }).notNullable();
    table.unique(['event_id', 'endpoint_id']);
    table.index(['created_at', 'id']);
    table.index(['endpoint_id', 'next_attempt_at'], 'webhook_deliveries_due_index', {
      predicate: db.whereRaw("status = 'pending'"),
    });
  });
}

/** How far each search for what became due by the passing of time has come; one instance at a time does it. */
async function createScans(db: Knex): Promise<void> {
  await db.schema.createTable('webhook_scans', (table) => {
    table.text('name').primary();
    table.timestamp('position', { useTz: true }).notNullable();
    table.timestamp('taken_until', { useTz: true }).comment('set: an instance is at it');
  });
}

export async function down(db: Knex): Promise<void> {
  await db.schema.alterTable('usage', (table) => table.dropIndex([], 'usage_day_license_id_index'));
  await db.schema.alterTable('licenses', (table) => table.dropIndex([], 'licenses_expires_at_index'));
  for (const table of ['webhook_scans', 'webhook_deliveries', 'webhook_events', 'webhook_endpoints'])
    await db.schema.dropTable(table);
}
