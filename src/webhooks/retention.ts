import type { Knex } from 'knex';

/**
 * Events are kept so long, with their deliveries. Longer than a month, which is the longest in which an event must not
 * come twice. Milliseconds.
 */
export const KEPT_FOR = 35 * 86_400_000;
/** So many go in one statement, which holds its locks for a moment only. */
const BATCH = 500;

/** Deletes what is older than it is kept, a batch at a time; whether another batch may be due. */
export async function deleteOld(db: Knex, now: number): Promise<boolean> {
  const deleted = await db('webhook_events')
    .whereIn(
      'id',
      db('webhook_events')
        .where('created_at', '<', new Date(now - KEPT_FOR))
        .orderBy('created_at')
        .limit(BATCH)
        .forUpdate()
        .skipLocked()
        .select('id'),
    )
    .delete();
  return deleted === BATCH;
}
