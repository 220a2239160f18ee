import type { Knex } from 'knex';

/** A Redis that comes back without its data starts another dataset; the one before is folded to its end and closed. */
export async function up(db: Knex): Promise<void> {
  await db.schema.alterTable('ledger_offsets', (table) => {
    table.boolean('closed').notNullable().defaultTo(false).comment('nothing of it will be folded any more');
  });
}

export async function down(db: Knex): Promise<void> {
  await db.schema.alterTable('ledger_offsets', (table) => table.dropColumn('closed'));
}
