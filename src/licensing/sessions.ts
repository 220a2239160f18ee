import type { Knex } from 'knex';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Changes } from './changes.ts';
import { hashKeyText, type ProxyKeys } from './keys.ts';
import type { LicenseRow } from './license-rows.ts';
import { statusAt, type License, type LicenseStatus } from './license.ts';

/** What a proxy key stands for. */
export interface Session {
  /** The key's hash as text: what it is cached under. */
  readonly keyHash: string;
  readonly keyExpiresAt: number;
  readonly deviceId: number;
  readonly hardwareId: string;
  readonly license: Pick<
    License,
    'id' | 'tier' | 'status' | 'expiresAt' | 'dailyLimit' | 'monthlyLimit' | 'maxActivations'
  >;
}

export type Authentication =
  { known: true; session: Session; status: Exclude<LicenseStatus, 'revoked'> } | { known: false };

/** A cached answer of the database: a session, or that there is none. */
interface Entry {
  session: Session | undefined;
  readAt: number;
}

const FRESH_MS = 60_000;
/** While announcements do not arrive, revocation rests on reading again: the contract's bound is 30 s. */
const FRESH_WITHOUT_NEWS_MS = 20_000;
const STALE_WHILE_DATABASE_IS_AWAY_MS = 600_000;

const unknownKey: Authentication = { known: false };

/**
 * Turns proxy keys into sessions: from memory where it can, with one query where it must. Keys that are unknown,
 * revoked, past their grace, or of a removed device or a revoked license are all the same `known: false`.
 */
export class Sessions {
  readonly #db: Knex;
  readonly #clock: Clock;
  readonly #changes: Changes;
  readonly #keys: ProxyKeys;
  readonly #entries = new LRUCache<string, Entry>({
    max: 100_000,
    dispose: (entry, keyHash, reason) => {
      if (reason !== 'set') this.#unlink(entry, keyHash);
    },
  });
  readonly #loading = new Map<string, Promise<Entry>>();
  /** Key hashes of each license in `#entries`, so that a change finds them. */
  readonly #byLicense = new Map<string, Set<string>>();
  /** When each license last changed, as a count of changes: what was read before a change is read again. */
  readonly #changedAt = new LRUCache<string, number>({ max: 10_000 });
  #changeCount = 0;
  #lastGap = 0;

  constructor(db: Knex, clock: Clock, changes: Changes, keys: ProxyKeys) {
    this.#db = db;
    this.#clock = clock;
    this.#changes = changes;
    this.#keys = keys;
    changes.onChange((licenseId) => this.#forget(licenseId));
    changes.onGap(() => this.#expireAll());
  }

  /** @throws the database's error where the session is not cached and the database is away */
  authenticate(proxyKey: string): Authentication | Promise<Authentication> {
    const keyHash = hashKeyText(proxyKey);
    const entry = this.#entries.get(keyHash);
    if (entry !== undefined && this.#isFresh(entry)) return this.#judge(entry.session);
    if (entry === undefined && !this.#keys.plausible(proxyKey)) return unknownKey;
    return this.#read(keyHash, entry).then((read) => this.#judge(read.session));
  }

  /** The same for a session of before, as when its license changed while a stream was open. */
  async recheck(session: Session): Promise<Authentication> {
    const { keyHash } = session;
    const entry = this.#entries.get(keyHash);
    if (entry !== undefined && this.#isFresh(entry)) return this.#judge(entry.session);
    return this.#judge((await this.#read(keyHash, entry)).session);
  }

  #judge(session: Session | undefined): Authentication {
    const now = this.#clock.now();
    if (session === undefined || session.keyExpiresAt <= now) return unknownKey;
    const status = statusAt(session.license, now);
    return status === 'revoked' ? unknownKey : { known: true, session, status };
  }

  #isFresh(entry: Entry): boolean {
    const age = this.#clock.now() - entry.readAt;
    return age < (this.#changes.live ? FRESH_MS : FRESH_WITHOUT_NEWS_MS);
  }

  /** Requests that come while a key is being read wait for that one query. */
  #read(keyHash: string, stale: Entry | undefined): Promise<Entry> {
    const underWay = this.#loading.get(keyHash);
    if (underWay !== undefined) return underWay;
    const reading = this.#load(keyHash, stale).finally(() => {
      if (this.#loading.get(keyHash) === reading) this.#loading.delete(keyHash);
    });
    this.#loading.set(keyHash, reading);
    return reading;
  }

  async #load(keyHash: string, stale: Entry | undefined): Promise<Entry> {
    const countBefore = this.#changeCount;
    const readAt = this.#clock.now();
    try {
      const entry = { session: await this.#query(keyHash), readAt };
      if (this.#changedSince(countBefore, entry.session)) return await this.#load(keyHash, stale);
      this.#remember(keyHash, entry);
      return entry;
    } catch (error) {
      const usable = stale !== undefined && readAt - stale.readAt < STALE_WHILE_DATABASE_IS_AWAY_MS;
      // A change that was announced is known to have made the entry wrong: it is no longer in the cache then.
      if (usable && this.#entries.has(keyHash)) return stale;
      throw error;
    }
  }

  #changedSince(count: number, session: Session | undefined): boolean {
    const changedAt = session === undefined ? 0 : (this.#changedAt.get(session.license.id) ?? 0);
    return Math.max(changedAt, this.#lastGap) > count;
  }

  async #query(keyHash: string): Promise<Session | undefined> {
    const row = await this.#db('proxy_keys')
      .join('devices', 'devices.id', 'proxy_keys.device_id')
      .join('licenses', 'licenses.id', 'devices.license_id')
      .where('proxy_keys.key_hash', Buffer.from(keyHash, 'base64'))
      .whereNull('devices.removed_at')
      .first<SessionRow | undefined>(
        'licenses.id', 'licenses.tier', 'licenses.status', 'licenses.expires_at', 'licenses.daily_limit',
        'licenses.monthly_limit', 'licenses.max_activations', 'devices.hardware_id',
        { device_id: 'devices.id', key_expires_at: 'proxy_keys.expires_at' },
      ); // prettier-ignore
    return row && sessionFrom(keyHash, row);
  }

  #remember(keyHash: string, entry: Entry): void {
    this.#entries.set(keyHash, entry);
    const licenseId = entry.session?.license.id;
    if (licenseId === undefined) return;
    const hashes = this.#byLicense.get(licenseId) ?? new Set();
    this.#byLicense.set(licenseId, hashes.add(keyHash));
  }

  #unlink(entry: Entry, keyHash: string): void {
    const licenseId = entry.session?.license.id ?? '';
    const hashes = this.#byLicense.get(licenseId);
    hashes?.delete(keyHash);
    if (hashes?.size === 0) this.#byLicense.delete(licenseId);
  }

  #forget(licenseId: string): void {
    this.#changedAt.set(licenseId, ++this.#changeCount);
    for (const keyHash of [...(this.#byLicense.get(licenseId) ?? [])]) this.#entries.delete(keyHash);
  }

  /** Stale, not gone: while the database is away too, they still serve. */
  #expireAll(): void {
    this.#lastGap = ++this.#changeCount;
    for (const entry of this.#entries.values())
      entry.readAt = Math.min(entry.readAt, this.#clock.now() - FRESH_MS);
  }
}

type SessionRow = Omit<
  LicenseRow,
  'key_hash' | 'key_prefix' | 'email' | 'name' | 'created_at' | 'updated_at'
> & {
  device_id: number;
  hardware_id: string;
  key_expires_at: Date | null;
};

function sessionFrom(keyHash: string, row: SessionRow): Session {
  return {
    keyHash,
    keyExpiresAt: row.key_expires_at?.getTime() ?? Infinity,
    deviceId: row.device_id,
    hardwareId: row.hardware_id,
    license: {
      id: row.id,
      tier: row.tier,
      status: row.status,
      expiresAt: row.expires_at ?? undefined,
      dailyLimit: row.daily_limit ?? undefined,
      monthlyLimit: row.monthly_limit ?? undefined,
      maxActivations: row.max_activations ?? undefined,
    },
  };
}
