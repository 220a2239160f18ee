import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import { canonicalLicenseKey, displayPrefix, hashKey, newLicenseKey } from './keys.ts';
import type { Changes } from './changes.ts';
import type { License, LicenseStatus, StoredStatus } from './license.ts';
import { licenseFrom, type LicenseRow } from './license-rows.ts';

export interface NewLicense {
  email: string;
  name: string;
  tier: string;
  expiresAt?: Date | undefined;
  dailyLimit?: number | undefined;
  monthlyLimit?: number | undefined;
  maxActivations?: number | undefined;
}

/** What may be changed; null takes an override or the expiry away. */
export interface LicenseChange {
  email?: string | undefined;
  name?: string | undefined;
  tier?: string | undefined;
  expiresAt?: Date | null | undefined;
  dailyLimit?: number | null | undefined;
  monthlyLimit?: number | null | undefined;
  maxActivations?: number | null | undefined;
}

export interface LicenseFilter {
  tier?: string | undefined;
  status?: LicenseStatus | undefined;
  email?: string | undefined;
}

export interface Page {
  licenses: License[];
  /** Where the next page starts; undefined on the last. */
  nextCursor: string | undefined;
}

/** Where licenses are kept, made and changed. Each change is announced to every instance. */
export class Licenses {
  readonly #db: Knex;
  readonly #clock: Clock;
  readonly #changes: Changes;

  constructor(db: Knex, clock: Clock, changes: Changes) {
    this.#db = db;
    this.#clock = clock;
    this.#changes = changes;
  }

  /** Makes a license; its key is returned here and never again. */
  async create(fields: NewLicense): Promise<{ license: License; licenseKey: string }> {
    const licenseKey = newLicenseKey();
    const now = new Date(this.#clock.now());
    const [row] = await this.#rows()
      .insert({
        id: `lic_${randomBytes(12).toString('hex')}`,
        key_hash: hashKey(licenseKey),
        key_prefix: displayPrefix(licenseKey),
        email: fields.email,
        name: fields.name,
        tier: fields.tier,
        status: 'active',
        expires_at: fields.expiresAt ?? null,
        daily_limit: fields.dailyLimit ?? null,
        monthly_limit: fields.monthlyLimit ?? null,
        max_activations: fields.maxActivations ?? null,
        created_at: now,
        updated_at: now,
      })
      .returning('*');
    if (row === undefined) throw new Error('the license was not stored');
    return { license: licenseFrom(row), licenseKey };
  }

  async find(id: string): Promise<License | undefined> {
    const row = await this.#rows().where({ id }).first();
    return row && licenseFrom(row);
  }

  /** @param typed a license key as a client presented it */
  async findByKey(typed: string): Promise<License | undefined> {
    const key = canonicalLicenseKey(typed);
    if (key === undefined) return undefined;
    const row = await this.#rows()
      .where({ key_hash: hashKey(key) })
      .first();
    return row && licenseFrom(row);
  }

  /** Newest first. `cursor` is a `nextCursor` of before; an unknown one yields an empty page. */
  async list(filter: LicenseFilter, limit: number, cursor?: string): Promise<Page> {
    const query = this.#rows()
      .orderBy([
        { column: 'created_at', order: 'desc' },
        { column: 'id', order: 'desc' },
      ])
      .limit(limit + 1);
    if (filter.tier !== undefined) void query.where({ tier: filter.tier });
    if (filter.email !== undefined) void query.whereRaw('lower(email) = lower(?)', [filter.email]);
    if (filter.status !== undefined) this.#whereStatus(query, filter.status);
    if (cursor !== undefined) {
      void query.whereRaw('(created_at, id) < (SELECT created_at, id FROM licenses WHERE id = ?)', [cursor]);
    }
    const rows = await query;
    const page = rows.slice(0, limit).map(licenseFrom);
    return { licenses: page, nextCursor: rows.length > limit ? page.at(-1)?.id : undefined };
  }

  /** The license after the change; undefined if there is none of that id. */
  async update(id: string, change: LicenseChange): Promise<License | undefined> {
    const columns = {
      ...(change.email !== undefined && { email: change.email }),
      ...(change.name !== undefined && { name: change.name }),
      ...(change.tier !== undefined && { tier: change.tier }),
      ...(change.expiresAt !== undefined && { expires_at: change.expiresAt }),
      ...(change.dailyLimit !== undefined && { daily_limit: change.dailyLimit }),
      ...(change.monthlyLimit !== undefined && { monthly_limit: change.monthlyLimit }),
      ...(change.maxActivations !== undefined && { max_activations: change.maxActivations }),
    };
    return this.#change(id, columns);
  }

  /**
   * Suspends, reinstates or revokes. Revoking is for good: a revoked license keeps its status, and the caller sees so
   * in what is returned.
   */
  async setStatus(id: string, status: StoredStatus): Promise<License | undefined> {
    const changed = await this.#change(id, { status }, { notRevoked: status !== 'revoked' });
    return changed ?? this.find(id);
  }

  async #change(
    id: string,
    columns: Partial<LicenseRow>,
    { notRevoked = false } = {},
  ): Promise<License | undefined> {
    const query = this.#rows().where({ id });
    if (notRevoked) void query.whereNot({ status: 'revoked' });
    const [row] = await query.update({ ...columns, updated_at: new Date(this.#clock.now()) }).returning('*');
    if (row === undefined) return undefined;
    await this.#changes.announce(id);
    return licenseFrom(row);
  }

  #whereStatus(query: Knex.QueryBuilder, status: LicenseStatus): void {
    const now = new Date(this.#clock.now());
    if (status === 'expired') void query.where({ status: 'active' }).where('expires_at', '<=', now);
    else if (status === 'active') {
      void query.where({ status }).where((either) => {
        void either.whereNull('expires_at').orWhere('expires_at', '>', now);
      });
    } else void query.where({ status });
  }

  #rows(): Knex.QueryBuilder<LicenseRow, LicenseRow[]> {
    return this.#db<LicenseRow, LicenseRow[]>('licenses');
  }
}
