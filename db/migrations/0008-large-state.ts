import type { Knex } from 'knex';

/**
 * What a million licenses and ten million rows of usage need. While this runs, folding waits for some seconds, and then
 * changes of licenses do; requests and activations do not: docs/performance.md has the times.
 */
export async function up(db: Knex): Promise<void> {
  await sumUsage(db);
  // Lists are sorted by time: of one tier, and of the few that are not active, without looking at all others.
  await db.raw('CREATE INDEX licenses_tier_created_at_id_index ON licenses (tier, created_at, id)');
  await db.raw(
    `CREATE INDEX licenses_not_active_index ON licenses (created_at, id) WHERE status <> 'active'`,
  );
  // An index on an expression, such as that of addresses, is not thought of before the expression has statistics; by
  // itself PostgreSQL makes them when a tenth of the rows has changed.
  await db.raw('ANALYZE licenses');
}

/**
 * Usage of all licenses together, by day, provider and model: what a report over all of them reads, instead of every
 * license's rows. Triggers keep it, so that whoever writes usage, the version before this one included, is counted in
 * the same transaction.
 */
async function sumUsage(db: Knex): Promise<void> {
  await db.schema.createTable('usage_totals', (table) => {
    table.comment('Sums of usage; the slots of a row add up. Written by triggers of usage alone.');
    table.date('day').notNullable();
    table.text('provider').notNullable();
    table.text('model').notNullable();
    table.integer('slot').notNullable().comment('transactions at the same time write into different ones');
    table.bigInteger('requests').notNullable();
    table.bigInteger('refunded').notNullable();
    table.primary(['day', 'provider', 'model', 'slot']);
  });
  // The same few rows change all the time: with room in their pages they change in place.
  await db.raw('ALTER TABLE usage_totals SET (fillfactor = 50)');
  await createFunctions(db);
  for (const [event, tables] of Object.entries(events)) {
    await db.raw(`
      CREATE TRIGGER usage_totals_${event.toLowerCase()} AFTER ${event} ON usage REFERENCING ${tables}
      FOR EACH STATEMENT EXECUTE FUNCTION add_to_usage_totals()`);
  }
  await db.raw(`
    CREATE TRIGGER usage_totals_truncate AFTER TRUNCATE ON usage
    FOR EACH STATEMENT EXECUTE FUNCTION empty_usage_totals()`);
  // The triggers' lock lets nobody write until this transaction ends, so nothing is missed and nothing counts twice.
  await db.raw(`
    INSERT INTO usage_totals (day, provider, model, slot, requests, refunded)
    SELECT day, provider, model, 0, sum(requests), sum(refunded) FROM usage GROUP BY day, provider, model`);
}

/** Any fixed number serves, as long as it is this project's own. */
const SLOTS = 0x11ce461;

const events = {
  INSERT: 'NEW TABLE AS added',
  UPDATE: 'OLD TABLE AS removed NEW TABLE AS added',
  DELETE: 'OLD TABLE AS removed',
};

const added = 'SELECT day, provider, model, requests, refunded FROM added';
const removed = 'SELECT day, provider, model, -requests AS requests, -refunded AS refunded FROM removed';

/**
 * A transaction takes a slot that no other has until its end, without waiting: so transactions wait for each other's
 * sums neither in turn nor in a circle. Whoever may write usage needs no
 * rights on its sums: gateways of the version before have none on a table that they do not know.
 */
async function createFunctions(db: Knex): Promise<void> {
  const add = (changes: string): string => `
    INSERT INTO usage_totals AS sums (day, provider, model, slot, requests, refunded)
    SELECT day, provider, model, free, sum(requests), sum(refunded) FROM (${changes}) AS changes
    GROUP BY day, provider, model HAVING sum(requests) <> 0 OR sum(refunded) <> 0
    ON CONFLICT (day, provider, model, slot) DO UPDATE
    SET requests = sums.requests + excluded.requests, refunded = sums.refunded + excluded.refunded;`;
  await db.raw(`
    CREATE FUNCTION add_to_usage_totals() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
      free integer := 0;
    BEGIN
      WHILE NOT pg_try_advisory_xact_lock(${SLOTS}, free) LOOP
        free := free + 1;
        IF free = 64 THEN
          free := 64 + pg_backend_pid();
          EXIT;
        END IF;
      END LOOP;
      IF TG_OP = 'INSERT' THEN ${add(added)}
      ELSIF TG_OP = 'UPDATE' THEN ${add(`${added} UNION ALL ${removed}`)}
      ELSE ${add(removed)}
      END IF;
      RETURN NULL;
    END $$`);
  await db.raw(`
    CREATE FUNCTION empty_usage_totals() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
      TRUNCATE usage_totals;
      RETURN NULL;
    END $$`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('DROP INDEX licenses_not_active_index');
  await db.raw('DROP INDEX licenses_tier_created_at_id_index');
  for (const event of [...Object.keys(events), 'TRUNCATE'])
    await db.raw(`DROP TRIGGER usage_totals_${event.toLowerCase()} ON usage`);
  await db.raw('DROP FUNCTION add_to_usage_totals');
  await db.raw('DROP FUNCTION empty_usage_totals');
  await db.schema.dropTable('usage_totals');
}
