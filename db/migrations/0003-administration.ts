import type { Knex } from 'knex';

/** Who may administer, what they did, and which version of a license it is. */
export async function up(db: Knex): Promise<void> {
  await createTokens(db);
  await createAudit(db);
  await countVersions(db);
  // Sums over all licenses read a range of days; the primary key begins with the license. No column that an upsert
  // changes is in it, so that rows are still updated in place.
  await db.schema.alterTable('usage', (table) => table.index(['day']));
}

async function createTokens(db: Knex): Promise<void> {
  await db.schema.createTable('admin_tokens', (table) => {
    table.text('id').primary().comment('public id, tok_…');
    table.binary('token_hash').notNullable().unique().comment('SHA-256 of the token');
    table.text('token_prefix').notNullable();
    table.text('name').notNullable();
    table.text('role').notNullable().checkIn(['read', 'support', 'admin']);
    table.timestamp('created_at', { useTz: true }).notNullable();
    table.timestamp('expires_at', { useTz: true });
    table.timestamp('revoked_at', { useTz: true });
    table.timestamp('last_used_at', { useTz: true }).comment('to the minute');
    table.index(['created_at', 'id']);
  });
}

async function createAudit(db: Knex): Promise<void> {
  await db.schema.createTable('audit', (table) => {
    table.comment('Who changed what. Append-only: a trigger refuses everything else.');
    table.bigIncrements('id');
    table.timestamp('at', { useTz: true }).notNullable();
    table.text('actor_type').notNullable();
    table.text('actor_id').comment('of the token; null: ADMIN_TOKEN, or no token');
    table.text('actor_name').notNullable();
    table.text('actor_role');
    table.text('address');
    table.text('request_id');
    table.text('action').notNullable();
    table.text('target').notNullable();
    table.text('license_id');
    table.jsonb('before').comment('of the fields that changed');
    table.jsonb('after');
    table.index(['license_id', 'id']);
    table.index(['action', 'id']);
    table.index(['at']);
  });
  await db.raw(`
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'the audit is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$`);
  await db.raw(`
    CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()`);
}

/** Counted by the database, so that whoever changes a license, the version before this one included, is counted. */
async function countVersions(db: Knex): Promise<void> {
  await db.schema.alterTable('licenses', (table) => {
    table.bigInteger('version').notNullable().defaultTo(1).comment('goes up with each change');
  });
  await db.raw(`
    CREATE FUNCTION count_license_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.version := OLD.version + 1;
      RETURN NEW;
    END $$`);
  await db.raw(`
    CREATE TRIGGER count_license_version BEFORE UPDATE ON licenses
    FOR EACH ROW EXECUTE FUNCTION count_license_version()`);
}

export async function down(db: Knex): Promise<void> {
  await db.schema.alterTable('usage', (table) => table.dropIndex(['day']));
  await db.raw('DROP TRIGGER count_license_version ON licenses');
  await db.raw('DROP FUNCTION count_license_version');
  await db.schema.alterTable('licenses', (table) => table.dropColumn('version'));
  await db.schema.dropTable('audit');
  await db.raw('DROP FUNCTION audit_is_append_only');
  await db.schema.dropTable('admin_tokens');
}
