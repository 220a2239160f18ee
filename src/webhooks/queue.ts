import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { EndpointRow } from './endpoints.ts';
import { ATTEMPT_LIMIT, type Attempt } from './send.ts';

/**
 * An attempt that has not been noted by then is lost, with the gateway that made it, and is made again. Longer than an
 * attempt can take. Milliseconds.
 */
const LEASE = ATTEMPT_LIMIT + 5_000;

/** How long after each failed attempt the next one comes; after the last there is none. Milliseconds. */
export const RETRY_AFTER: readonly number[] = [
  5_000, 30_000, 120_000, 600_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000,
];
/** Each wait is up to so much longer or shorter, so that what failed together is not repeated together. */
const JITTER = 0.2;

/** What was taken from the queue, to be attempted now. */
export interface DueDelivery extends Pick<
  EndpointRow,
  'url' | 'secret' | 'previous_secret' | 'previous_secret_until'
> {
  id: string;
  event_id: string;
  endpoint_id: string;
  payload: string;
  /** With the one that is due now. */
  attempts: number;
  claim: string;
}

/**
 * Deliveries that are due, shared by all instances. What one takes is its own for a time (a lease): no transaction stays
 * open while a receiver is waited for, and what an instance that was killed had taken comes back.
 */
export class DeliveryQueue {
  readonly #db: Knex;

  constructor(db: Knex) {
    this.#db = db;
  }

  /** @param room how many of each endpoint may be taken */
  async take(room: readonly { endpoint_id: string; free: number }[], now: number): Promise<DueDelivery[]> {
    const claim = randomUUID();
    const result: { rows: DueDelivery[] } = await this.#db.raw(
      `WITH due AS MATERIALIZED (
         SELECT next.id, e.url, e.secret, e.previous_secret, e.previous_secret_until
         FROM jsonb_to_recordset(:room::jsonb) AS room(endpoint_id text, free int)
         JOIN webhook_endpoints e ON e.id = room.endpoint_id AND e.enabled
         CROSS JOIN LATERAL (
           SELECT d.id FROM webhook_deliveries d
           WHERE d.endpoint_id = room.endpoint_id AND d.status = 'pending' AND d.next_attempt_at <= :now
           ORDER BY d.next_attempt_at LIMIT room.free FOR UPDATE SKIP LOCKED
         ) next
       )
       UPDATE webhook_deliveries d
       SET attempts = d.attempts + 1, claim = :claim, last_attempt_at = :now, next_attempt_at = :lease
       FROM due, webhook_events event
       WHERE d.id = due.id AND event.id = d.event_id
       RETURNING d.id, d.event_id, d.endpoint_id, d.attempts, d.claim, event.payload,
                 due.url, due.secret, due.previous_secret, due.previous_secret_until`,
      { room: JSON.stringify(room), now: new Date(now), claim, lease: new Date(now + LEASE) },
    );
    return result.rows;
  }

  /** Notes what became of an attempt, unless it came too late and somebody else has it. */
  async note(delivery: DueDelivery, attempt: Attempt, now: number): Promise<void> {
    const { id, claim } = delivery;
    await this.#db('webhook_deliveries')
      .where({ id, claim })
      .update({
        ...afterwards(delivery, attempt, now),
        claim: null,
        ...(attempt.aborted !== true && {
          response_status: attempt.status ?? null,
          error: attempt.error ?? null,
          response_excerpt: attempt.excerpt ?? null,
        }),
      });
  }

  /** The receiver said that it is gone for good. */
  async disable(endpointId: string, reason: string, now: number): Promise<void> {
    await this.#db('webhook_endpoints')
      .where({ id: endpointId })
      .update({ enabled: false, disabled_reason: reason, updated_at: new Date(now) });
  }

  /** The time at which the oldest that waits, of an endpoint that is enabled, was written; undefined: none waits. */
  async oldestPending(): Promise<Date | undefined> {
    const row = await this.#db('webhook_deliveries as d')
      .join('webhook_endpoints as e', 'e.id', 'd.endpoint_id')
      .where({ 'd.status': 'pending', 'e.enabled': true })
      .min<{ oldest: Date | null }>({ oldest: 'd.created_at' })
      .first();
    return row?.oldest ?? undefined;
  }
}

function afterwards({ attempts }: DueDelivery, attempt: Attempt, now: number): object {
  if (attempt.aborted === true) return { attempts: attempts - 1, next_attempt_at: new Date(now) };
  if (attempt.delivered) return { status: 'delivered' };
  const wait = attempt.status === GONE ? undefined : RETRY_AFTER[attempts - 1];
  if (wait === undefined) return { status: 'failed' };
  return { next_attempt_at: new Date(now + jittered(wait)) };
}

export const GONE = 410;

/** @returns `wait` or up to a fifth more or less, whole milliseconds */
export function jittered(wait: number): number {
  return Math.round(wait * (1 + JITTER * (2 * Math.random() - 1)));
}
