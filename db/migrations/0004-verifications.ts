import type { Knex } from 'knex';

/** Sign-up by mail, and what it and `one_license_per_device` look licenses and devices up by. */
export async function up(db: Knex): Promise<void> {
  await db.schema.createTable('verifications', (table) => {
    table.comment('One row an address that asks for a license; it is deleted a day after its code is over.');
    table.text('email').primary().comment('in lower case');
    table.text('tier').notNullable();
    table.boolean('needs_code').notNullable();
    table.binary('code_hash').comment('HMAC-SHA-256 of the code; null: no code is right');
    table.timestamp('expires_at', { useTz: true }).notNullable().index();
    table.integer('tries_left').notNullable();
    table
      .jsonb('mailed_at')
      .notNullable()
      .comment('when the last mails went out, in milliseconds since 1970');
  });
  await db.raw('create index licenses_lower_email on licenses (lower(email))');
  await db.raw('create index devices_hardware_id on devices (hardware_id) where removed_at is null');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index devices_hardware_id');
  await db.raw('drop index licenses_lower_email');
  await db.schema.dropTable('verifications');
}
