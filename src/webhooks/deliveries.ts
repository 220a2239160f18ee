import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** An event on its way to an endpoint, or there. */
export interface Delivery {
  /** `whd_…` */
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly licenseId: string | undefined;
  readonly endpointId: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  /** Undefined where it has ended. */
  readonly nextAttemptAt: Date | undefined;
  readonly lastAttemptAt: Date | undefined;
  readonly responseStatus: number | undefined;
  readonly error: string | undefined;
  readonly responseExcerpt: string | undefined;
  /** The body that is sent, JSON. */
  readonly payload: string;
  readonly createdAt: Date;
}

export interface DeliveryFilter {
  status?: DeliveryStatus | undefined;
  endpoint?: string | undefined;
  /** A type, or an id (`evt_…`). */
  event?: string | undefined;
}

/** Where a list goes on: behind this one. */
export interface DeliveryPosition {
  createdAt: Date;
  id: string;
}

interface DeliveryRow {
  id: string;
  event_id: string;
  endpoint_id: string;
  status: DeliveryStatus;
  attempts: number;
  next_attempt_at: Date;
  claim: string | null;
  last_attempt_at: Date | null;
  response_status: number | null;
  error: string | null;
  response_excerpt: string | null;
  created_at: Date;
  type: string;
  license_id: string | null;
  payload: string;
}

/** What administrators see of deliveries, and what they can do about them. */
export class Deliveries {
  readonly #db: Knex;
  readonly #clock: Clock;

  constructor(db: Knex, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Newest first, from behind a position of before. */
  async list(
    { status, endpoint, event }: DeliveryFilter,
    limit: number,
    after?: DeliveryPosition,
  ): Promise<{ deliveries: Delivery[]; next: DeliveryPosition | undefined }> {
    const query = this.#rows()
      .orderBy([
        { column: 'd.created_at', order: 'desc' },
        { column: 'd.id', order: 'desc' },
      ])
      .limit(limit + 1);
    if (status !== undefined) void query.where('d.status', status);
    if (endpoint !== undefined) void query.where('d.endpoint_id', endpoint);
    if (event?.startsWith('evt_') === true) void query.where('d.event_id', event);
    else if (event !== undefined) void query.where('e.type', event);
    if (after !== undefined)
      void query.whereRaw('(d.created_at, d.id) < (?, ?)', [after.createdAt, after.id]);
    const rows = await query;
    const page = rows.slice(0, limit).map(deliveryFrom);
    return { deliveries: page, next: rows.length > limit ? page.at(-1) : undefined };
  }

  async find(id: string): Promise<Delivery | undefined> {
    const row = await this.#rows().where('d.id', id).first<DeliveryRow | undefined>();
    return row && deliveryFrom(row);
  }

  /**
   * Sends again, at once and from the first attempt on, whatever became of it: with the same id, by which a receiver
   * knows it. One that is under way goes on. Undefined where there is none of that id.
   */
  async resend(id: string): Promise<Delivery | undefined> {
    const now = new Date(this.#clock.now());
    await this.#db('webhook_deliveries')
      .where({ id })
      .where((idle) => void idle.whereNull('claim').orWhere('next_attempt_at', '<=', now))
      .update({ status: 'pending', attempts: 0, next_attempt_at: now, claim: null, error: null });
    return this.find(id);
  }

  #rows(): Knex.QueryBuilder<DeliveryRow, DeliveryRow[]> {
    return this.#db<DeliveryRow, DeliveryRow[]>('webhook_deliveries as d')
      .join('webhook_events as e', 'e.id', 'd.event_id')
      .select('d.*', 'e.type', 'e.license_id', 'e.payload') as Knex.QueryBuilder<DeliveryRow, DeliveryRow[]>;
  }
}

function deliveryFrom(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    eventId: row.event_id,
    eventType: row.type,
    licenseId: row.license_id ?? undefined,
    endpointId: row.endpoint_id,
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.status === 'pending' ? row.next_attempt_at : undefined,
    lastAttemptAt: row.last_attempt_at ?? undefined,
    responseStatus: row.response_status ?? undefined,
    error: row.error ?? undefined,
    responseExcerpt: row.response_excerpt ?? undefined,
    payload: row.payload,
    createdAt: row.created_at,
  };
}
