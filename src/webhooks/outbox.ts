import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import { ALL_EVENTS, payloadOf, type NewEvent } from './event-types.ts';

/**
 * The outbox: an event is written in the transaction of what it tells of, with a delivery for each endpoint that asked for
 * it, so that there is an event if and only if it happened. An event that nobody asked for is not written.
 */
export class Outbox {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param db the transaction of the change @returns whether it was written: not if it is there, or for nobody */
  async add(db: Knex, event: NewEvent): Promise<boolean> {
    const now = new Date(this.#clock.now());
    const before = event.onlyEndpointsOfThen === true ? new Date(event.at) : null;
    const asked = `enabled AND (events @> to_jsonb(:type::text) OR events @> to_jsonb(:all::text))
      AND (:before::timestamptz IS NULL OR created_at <= :before::timestamptz)`;
    const result: { rows: unknown[] } = await db.raw(
      `WITH event AS (
         INSERT INTO webhook_events (id, type, license_id, once_key, payload, created_at)
         SELECT :id, :type::text, :licenseId, :onceKey, :payload, :now
         WHERE EXISTS (SELECT 1 FROM webhook_endpoints WHERE ${asked})
         ON CONFLICT (once_key) DO NOTHING
         RETURNING id
       )
       INSERT INTO webhook_deliveries (id, event_id, endpoint_id, status, next_attempt_at, created_at)
       SELECT ${deliveryId('event.id', 'webhook_endpoints.id')}, event.id, webhook_endpoints.id, 'pending',
              :now::timestamptz, :now::timestamptz
       FROM event, webhook_endpoints WHERE ${asked}
       RETURNING id`,
      {
        id: newEventId(),
        type: event.type,
        all: ALL_EVENTS,
        licenseId: event.licenseId,
        onceKey: event.onceKey ?? null,
        payload: payloadOf(event),
        now,
        before,
      },
    );
    return result.rows.length > 0;
  }

  /** An event for one endpoint, whatever it asked for; the id of its delivery. */
  async addTest(db: Knex, endpointId: string): Promise<string> {
    const now = new Date(this.#clock.now());
    const id = newEventId();
    const payload = payloadOf({
      type: 'webhook.test',
      at: now.getTime(),
      data: { webhook_id: endpointId, message: 'A test: nothing has happened' },
    });
    return db.transaction(async (trx) => {
      await trx('webhook_events').insert({ id, type: 'webhook.test', payload, created_at: now });
      const [delivery] = await trx('webhook_deliveries')
        .insert({
          id: trx.raw(deliveryId('?::text', '?::text'), [id, endpointId]),
          event_id: id,
          endpoint_id: endpointId,
          status: 'pending',
          next_attempt_at: now,
          created_at: now,
        })
        .returning<{ id: string }[]>('id');
      if (delivery === undefined) throw new Error('the delivery was not stored');
      return delivery.id;
    });
  }
}

function newEventId(): string {
  return `evt_${randomBytes(12).toString('hex')}`;
}

/** SQL: it follows from what it delivers where. */
function deliveryId(event: string, endpoint: string): string {
  return `'whd_' || substr(md5(${event} || ${endpoint}), 1, 24)`;
}
