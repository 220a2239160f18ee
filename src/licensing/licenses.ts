import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import { canonicalLicenseKey, displayPrefix, hashKey, newLicenseKey } from './keys.ts';
import type { Changes } from './changes.ts';
import { difference, licenseFacts, type Actor, type Change, type Recorder } from './changes-recorder.ts';
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
  /** Those that end before, or have ended. */
  expiresBefore?: Date | undefined;
}

/** Where a list of licenses goes on: behind this one. */
export interface LicensePosition {
  createdAt: Date;
  id: string;
}

export interface Page {
  licenses: License[];
  /** Where the next page starts; undefined on the last. */
  next: LicensePosition | undefined;
}

/** Who makes a change, and which version of the license they have seen. */
export interface ChangeTerms {
  by: Actor;
  /** One of these versions, or nothing is changed; undefined: any. */
  ifVersion?: readonly number[] | undefined;
}

/** A license after a change, or why it was not changed. */
export type ChangeOutcome =
  | { done: true; license: License }
  | { done: false; why: 'unknown' }
  | { done: false; why: 'changed_since' | 'revoked'; license: License };

const statusActions = {
  suspended: 'license.suspended',
  active: 'license.reinstated',
  revoked: 'license.revoked',
} as const;

/** Where licenses are kept, made and changed. Each change is recorded with it, and announced to every instance. */
export class Licenses {
  readonly #db: Knex;
  readonly #clock: Clock;
  readonly #changes: Changes;
  readonly #record: Recorder;

  constructor(db: Knex, clock: Clock, changes: Changes, record: Recorder) {
    this.#db = db;
    this.#clock = clock;
    this.#changes = changes;
    this.#record = record;
  }

  /** Makes a license; its key is returned here and never again. */
  async create(fields: NewLicense, by: Actor): Promise<{ license: License; licenseKey: string }> {
    return this.#db.transaction((trx) => this.createWithin(trx, fields, by));
  }

  /** The same within a transaction of the caller's. */
  async createWithin(
    trx: Knex,
    fields: NewLicense,
    by: Actor,
  ): Promise<{ license: License; licenseKey: string }> {
    const licenseKey = newLicenseKey();
    const at = new Date(this.#clock.now());
    const [row] = await rowsIn(trx)
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
        created_at: at,
        updated_at: at,
      })
      .returning('*');
    if (row === undefined) throw new Error('the license was not stored');
    const license = licenseFrom(row);
    const change = { before: undefined, after: license };
    const after = licenseFacts(license);
    await this.#record(trx, {
      action: 'license.created',
      target: license.id,
      license: change,
      after,
      by,
      at,
    });
    return { license, licenseKey };
  }

  async find(id: string): Promise<License | undefined> {
    const row = await rowsIn(this.#db).where({ id }).first();
    return row && licenseFrom(row);
  }

  /** @param typed a license key as a client presented it */
  async findByKey(typed: string): Promise<License | undefined> {
    const key = canonicalLicenseKey(typed);
    if (key === undefined) return undefined;
    const row = await rowsIn(this.#db)
      .where({ key_hash: hashKey(key) })
      .first();
    return row && licenseFrom(row);
  }

  /** Newest first, from behind a position of before. */
  async list(filter: LicenseFilter, limit: number, after?: LicensePosition): Promise<Page> {
    const query = rowsIn(this.#db)
      .orderBy([
        { column: 'created_at', order: 'desc' },
        { column: 'id', order: 'desc' },
      ])
      .limit(limit + 1);
    if (filter.tier !== undefined) void query.where({ tier: filter.tier });
    if (filter.email !== undefined) void query.whereRaw('lower(email) = lower(?)', [filter.email]);
    if (filter.status !== undefined) this.#whereStatus(query, filter.status);
    if (filter.expiresBefore !== undefined) void query.where('expires_at', '<', filter.expiresBefore);
    if (after !== undefined) void query.whereRaw('(created_at, id) < (?, ?)', [after.createdAt, after.id]);
    const rows = await query;
    const page = rows.slice(0, limit).map(licenseFrom);
    return { licenses: page, next: rows.length > limit ? page.at(-1) : undefined };
  }

  /** Changes what is named. */
  async update(id: string, change: LicenseChange, terms: ChangeTerms): Promise<ChangeOutcome> {
    const columns = {
      ...(change.email !== undefined && { email: change.email }),
      ...(change.name !== undefined && { name: change.name }),
      ...(change.tier !== undefined && { tier: change.tier }),
      ...(change.expiresAt !== undefined && { expires_at: change.expiresAt }),
      ...(change.dailyLimit !== undefined && { daily_limit: change.dailyLimit }),
      ...(change.monthlyLimit !== undefined && { monthly_limit: change.monthlyLimit }),
      ...(change.maxActivations !== undefined && { max_activations: change.maxActivations }),
    };
    return this.#change(id, { action: 'license.updated', columns }, terms);
  }

  /** Suspends, reinstates or revokes. Revoking is for good: what is revoked stays so. */
  async setStatus(id: string, status: StoredStatus, terms: ChangeTerms): Promise<ChangeOutcome> {
    return this.#change(id, { action: statusActions[status], columns: { status } }, terms);
  }

  /**
   * Gives a license a new key, which is returned here and never again; the one before is nobody's from then on. Devices
   * and their proxy keys have nothing to do with it.
   */
  async reissue(id: string, terms: ChangeTerms): Promise<{ outcome: ChangeOutcome; licenseKey: string }> {
    const licenseKey = newLicenseKey();
    const columns = { key_hash: hashKey(licenseKey), key_prefix: displayPrefix(licenseKey) };
    const outcome = await this.#change(id, { action: 'license.reissued', columns }, terms);
    return { outcome, licenseKey };
  }

  /**
   * Carries a change out, in one transaction with its record. What changes nothing is done as well, and not recorded;
   * it is announced all the same, for whoever asks again to be sure.
   */
  async #change(
    id: string,
    { action, columns }: { action: Change['action']; columns: Partial<LicenseRow> },
    { by, ifVersion }: ChangeTerms,
  ): Promise<ChangeOutcome> {
    const outcome = await this.#db.transaction(async (trx): Promise<ChangeOutcome> => {
      const row = await rowsIn(trx).where({ id }).forUpdate().first();
      if (row === undefined) return { done: false, why: 'unknown' };
      const before = licenseFrom(row);
      if (ifVersion?.includes(before.version) === false) {
        return { done: false, why: 'changed_since', license: before };
      }
      if (before.status === 'revoked' && !isOpenToRevoked(columns)) {
        return { done: false, why: 'revoked', license: before };
      }
      const license = await this.#write(trx, before, { ...row, ...columns }, columns);
      if (license.version === before.version) return { done: true, license };
      const facts = difference(licenseFacts(before), licenseFacts(license));
      const at = license.updatedAt;
      await this.#record(trx, { action, target: id, license: { before, after: license }, ...facts, by, at });
      return { done: true, license };
    });
    if (outcome.done) await this.#changes.announce(id);
    return outcome;
  }

  async #write(
    trx: Knex,
    before: License,
    wanted: LicenseRow,
    columns: Partial<LicenseRow>,
  ): Promise<License> {
    const { after: differs } = difference(licenseFacts(before), licenseFacts(licenseFrom(wanted)));
    if (Object.keys(differs).length === 0 && columns.key_hash === undefined) return before;
    const [row] = await rowsIn(trx)
      .where({ id: before.id })
      .update({ ...columns, updated_at: new Date(this.#clock.now()) })
      .returning('*');
    if (row === undefined) throw new Error('the license was not stored');
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
}

/** A revoked license keeps its status and gets no key; its customer may still be renamed. */
function isOpenToRevoked({ status = 'revoked', key_hash: keyHash }: Partial<LicenseRow>): boolean {
  return status === 'revoked' && keyHash === undefined;
}

function rowsIn(db: Knex): Knex.QueryBuilder<LicenseRow, LicenseRow[]> {
  return db<LicenseRow, LicenseRow[]>('licenses');
}
