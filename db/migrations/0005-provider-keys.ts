import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.schema.createTable('provider_keys', (table) => {
    table.comment('Real keys that were set through the admin API; they win over the settings.');
    table.text('provider').primary();
    table
      .binary('sealed')
      .notNullable()
      .comment('AES-256-GCM under MASTER_KEY: see src/stores/secret-box.ts');
    table.text('fingerprint').notNullable().comment('first 8 hexadecimal digits of the SHA-256 of the key');
    table.timestamp('set_at', { useTz: true }).notNullable();
  });
  await db.schema.createTable('provider_refusals', (table) => {
    table.comment('When a provider last answered 401 to one of our keys.');
    table.text('provider').notNullable();
    table.text('fingerprint').notNullable();
    table.timestamp('refused_at', { useTz: true }).notNullable();
    table.primary(['provider', 'fingerprint']);
  });
}

export async function down(db: Knex): Promise<void> {
  await db.schema.dropTable('provider_refusals');
  await db.schema.dropTable('provider_keys');
}
