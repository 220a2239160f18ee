import type { Knex } from 'knex';

/** A device may bind its proxy key to a key of its own, and signs its requests with it from then on. */
export async function up(db: Knex): Promise<void> {
  await db.schema.alterTable('proxy_keys', (table) => {
    table.binary('public_key').comment('Ed25519, the raw 32 bytes; null: bound to none');
  });
}

export async function down(db: Knex): Promise<void> {
  await db.schema.alterTable('proxy_keys', (table) => table.dropColumn('public_key'));
}
