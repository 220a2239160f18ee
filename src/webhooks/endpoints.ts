import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import type { SecretBox } from '../stores/secret-box.ts';
import type { AddressPolicy } from './address-policy.ts';
import { newSecret } from './signature.ts';

/** How long the secret before a rotation signs too. Milliseconds. */
export const SECRET_OVERLAP = 24 * 3_600_000;
/** Each has room of its own for attempts under way. */
export const MAX_ENDPOINTS = 50;

export interface Endpoint {
  /** `whe_…` */
  readonly id: string;
  readonly url: string;
  readonly description: string;
  /** Types of events, or `*`. */
  readonly events: readonly string[];
  readonly enabled: boolean;
  /** Why it is disabled, where that was not an administrator's wish. */
  readonly disabledReason: string | undefined;
  /** Until when the secret before the last rotation signs too. */
  readonly previousSecretUntil: Date | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface EndpointFields {
  url: string;
  description: string;
  events: readonly string[];
  enabled: boolean;
}

/** What is not named, or undefined, stays. */
export type EndpointUpdate = { [Field in keyof EndpointFields]?: EndpointFields[Field] | undefined };

export interface EndpointRow {
  id: string;
  url: string;
  description: string;
  events: string[];
  enabled: boolean;
  disabled_reason: string | null;
  secret: Uint8Array;
  previous_secret: Uint8Array | null;
  previous_secret_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** There is no key to encrypt secrets under. */
export class NoMasterKey extends Error {
  override readonly name = 'NoMasterKey';
}

/** As many as there may be are there. */
export class TooManyEndpoints extends Error {
  override readonly name = 'TooManyEndpoints';
}

type Facts = Readonly<Record<string, unknown>>;

/** A change of an endpoint, told within its transaction; it holds no secret. */
export interface EndpointChange<By> {
  readonly action: `webhook.${string}`;
  readonly target: string;
  readonly before?: Facts | undefined;
  readonly after?: Facts | undefined;
  readonly by: By;
  readonly at: Date;
}

/** @template By who makes changes */
export interface EndpointsOptions<By> {
  db: Knex;
  clock: Clock;
  policy: AddressPolicy;
  /** Undefined: no secret can be stored, and so no endpoint made. */
  box: SecretBox | undefined;
  record: (trx: Knex, change: EndpointChange<By>) => Promise<void>;
}

/** Where webhooks go. Their secrets are shown when they are made, and stored encrypted. */
export class Endpoints<By> {
  readonly #options: EndpointsOptions<By>;

  constructor(options: EndpointsOptions<By>) {
    this.#options = options;
  }

  /** @throws ForbiddenTarget, NoMasterKey, TooManyEndpoints */
  async create(fields: EndpointFields, by: By): Promise<{ endpoint: Endpoint; secret: string }> {
    const { db, policy, record } = this.#options;
    const box = this.#box();
    await policy.check(fields.url);
    const id = `whe_${randomBytes(12).toString('hex')}`;
    const secret = newSecret();
    const at = this.#now();
    const sealed = box.seal(secret, contextOf(id));
    const endpoint = await db.transaction(async (trx) => {
      // Two that are made at once take turns, so that the count holds.
      await trx.raw('LOCK TABLE webhook_endpoints IN SHARE ROW EXCLUSIVE MODE');
      const all = await rowsIn(trx).select('id');
      if (all.length >= MAX_ENDPOINTS) throw new TooManyEndpoints(`there are ${MAX_ENDPOINTS} already`);
      const [row] = await rowsIn(trx)
        .insert({ ...columnsOf(fields), id, secret: sealed, created_at: at, updated_at: at })
        .returning('*');
      if (row === undefined) throw new Error('the endpoint was not stored');
      await record(trx, { action: 'webhook.created', target: id, after: factsOf(row), by, at });
      return endpointFrom(row);
    });
    return { endpoint, secret };
  }

  /** Newest first, from behind a position of before. */
  async list(limit: number, after?: { createdAt: Date; id: string }): Promise<Endpoint[]> {
    const query = rowsIn(this.#options.db)
      .orderBy([
        { column: 'created_at', order: 'desc' },
        { column: 'id', order: 'desc' },
      ])
      .limit(limit);
    if (after !== undefined) void query.whereRaw('(created_at, id) < (?, ?)', [after.createdAt, after.id]);
    return (await query).map(endpointFrom);
  }

  async find(id: string): Promise<Endpoint | undefined> {
    const row = await rowsIn(this.#options.db).where({ id }).first();
    return row && endpointFrom(row);
  }

  /** What is not named stays. Undefined where there is none of that id. @throws ForbiddenTarget */
  async update(id: string, change: EndpointUpdate, by: By): Promise<Endpoint | undefined> {
    if (change.url !== undefined) await this.#options.policy.check(change.url);
    const columns = { ...columnsOf(change), ...(change.enabled === true && { disabled_reason: null }) };
    return this.#change(id, { action: 'webhook.updated', columns, by });
  }

  /** What was to be delivered there goes with it. False where there is none of that id. */
  async remove(id: string, by: By): Promise<boolean> {
    const { db, record } = this.#options;
    return db.transaction(async (trx) => {
      const [row] = await rowsIn(trx).where({ id }).delete().returning('*');
      if (row === undefined) return false;
      await trx('webhook_deliveries').where({ endpoint_id: id }).delete();
      await record(trx, {
        action: 'webhook.removed',
        target: id,
        before: factsOf(row),
        by,
        at: this.#now(),
      });
      return true;
    });
  }

  /** A new secret; the one before signs too for a day. @throws NoMasterKey */
  async rotateSecret(id: string, by: By): Promise<{ endpoint: Endpoint; secret: string } | undefined> {
    const secret = newSecret();
    const columns = {
      // The right side sees the row as it was.
      previous_secret: this.#options.db.raw('secret') as unknown as Uint8Array,
      previous_secret_until: new Date(this.#options.clock.now() + SECRET_OVERLAP),
      secret: this.#box().seal(secret, contextOf(id)),
    };
    const endpoint = await this.#change(id, { action: 'webhook.secret_rotated', columns, by });
    return endpoint && { endpoint, secret };
  }

  /** The secrets that sign at present, the newest first. @throws NoMasterKey, SecretUnreadable */
  secretsOf(row: Pick<EndpointRow, 'id' | 'secret' | 'previous_secret' | 'previous_secret_until'>): string[] {
    const sealed = [row.secret];
    const { previous_secret: previous, previous_secret_until: until } = row;
    if (previous !== null && until !== null && until > this.#now()) sealed.push(previous);
    return sealed.map((secret) => this.#box().open(secret, contextOf(row.id)));
  }

  async #change(
    id: string,
    { action, columns, by }: { action: `webhook.${string}`; columns: Partial<EndpointRow>; by: By },
  ): Promise<Endpoint | undefined> {
    const { db, record } = this.#options;
    const at = this.#now();
    return db.transaction(async (trx) => {
      const before = await rowsIn(trx).where({ id }).forUpdate().first();
      if (before === undefined) return undefined;
      const [row] = await rowsIn(trx)
        .where({ id })
        .update({ ...columns, updated_at: at })
        .returning('*');
      if (row === undefined) throw new Error('the endpoint was not stored');
      await record(trx, { action, target: id, ...difference(factsOf(before), factsOf(row)), by, at });
      return endpointFrom(row);
    });
  }

  #box(): SecretBox {
    if (this.#options.box === undefined) throw new NoMasterKey('MASTER_KEY is not set');
    return this.#options.box;
  }

  #now(): Date {
    return new Date(this.#options.clock.now());
  }
}

function rowsIn(db: Knex): Knex.QueryBuilder<EndpointRow, EndpointRow[]> {
  return db<EndpointRow, EndpointRow[]>('webhook_endpoints');
}

/** What of an endpoint an audit shows. */
function factsOf({ url, description, events, enabled, previous_secret_until: until }: EndpointRow): Facts {
  const previous = until?.toISOString() ?? null;
  return { url, description, events: events.join(', '), enabled, previous_secret_until: previous };
}

function difference(before: Facts, after: Facts): { before: Facts; after: Facts } {
  const names = Object.keys(after).filter((name) => before[name] !== after[name]);
  const pick = (facts: Facts): Facts => Object.fromEntries(names.map((name) => [name, facts[name]]));
  return { before: pick(before), after: pick(after) };
}

/** Where secrets are encrypted under the master key: what is encrypted anew when that is replaced. */
export const sealedColumns = ['secret', 'previous_secret'].map((column) => ({
  table: 'webhook_endpoints',
  key: 'id',
  column,
  context: contextOf,
}));

function contextOf(id: string): string {
  return `webhook:${id}`;
}

function columnsOf({ events, ...fields }: EndpointUpdate): Partial<EndpointRow> {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  // As text: a driver would make an array of its own kind of an array.
  return { ...given, ...(events && { events: JSON.stringify(events) as unknown as string[] }) };
}

function endpointFrom(row: EndpointRow): Endpoint {
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    events: row.events,
    enabled: row.enabled,
    disabledReason: row.disabled_reason ?? undefined,
    previousSecretUntil: row.previous_secret_until ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
