import type { Knex } from 'knex';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { isUnavailable } from '../stores/database.ts';
import type { Changes } from './changes.ts';
import { hashKeyText, type ProxyKeys } from './keys.ts';
import { statusAt, type LicenseStatus } from './license.ts';
import { readSession, type Session } from './session-rows.ts';

export type { Session } from './session-rows.ts';

export type Authentication =
  { known: true; session: Session; status: Exclude<LicenseStatus, 'revoked'> } | { known: false };

/** A cached answer of the database: a session, or that there is none. */
interface Entry {
  session: Session | undefined;
  readAt: number;
}

const FRESH_MS = 60_000;
/** While announcements do not arrive, revocation rests on reading again: the contract's bound is 30 s. */
const FRESH_WITHOUT_NEWS_MS = 15_000;
const STALE_WHILE_DATABASE_IS_AWAY_MS = 600_000;
/** For so long after a look-up failed nobody waits for another where something stale will do. */
const AWAY_AFTER_FAILURE_MS = 1_000;

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
  /** How many keys were looked up, by where the answer came from. */
  readonly lookups = { hit: 0, stale: 0, miss: 0, never_issued: 0 };
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
  #failedAt = -Infinity;
  /** While the database is away one look-up at a time finds out whether it is back. */
  #tryingAgain = false;

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
    const served = entry && this.#serves(keyHash, entry);
    if (entry !== undefined && served !== undefined) {
      this.lookups[served] += 1;
      return this.#judge(entry.session);
    }
    if (entry === undefined && !this.#keys.plausible(proxyKey)) {
      this.lookups.never_issued += 1;
      return unknownKey;
    }
    this.lookups.miss += 1;
    return this.#read(keyHash, entry).then((read) => this.#judge(read.session));
  }

  /** How many answers are in memory. */
  get size(): number {
    return this.#entries.size;
  }

  /** The same for a session of before, as when its license changed while a stream was open. */
  async recheck(session: Session): Promise<Authentication> {
    const { keyHash } = session;
    const entry = this.#entries.get(keyHash);
    if (entry !== undefined && this.#serves(keyHash, entry) !== undefined) return this.#judge(entry.session);
    return this.#judge((await this.#read(keyHash, entry)).session);
  }

  #judge(session: Session | undefined): Authentication {
    const now = this.#clock.now();
    if (session === undefined || session.keyExpiresAt <= now) return unknownKey;
    const status = statusAt(session.license, now);
    return status === 'revoked' ? unknownKey : { known: true, session, status };
  }

  /** Whether the entry is good as it is: fresh, or stale while the database was away just now. */
  #serves(keyHash: string, entry: Entry): 'hit' | 'stale' | undefined {
    const now = this.#clock.now();
    if (now - entry.readAt < (this.#changes.live ? FRESH_MS : FRESH_WITHOUT_NEWS_MS)) return 'hit';
    const wasAway = performance.now() - this.#failedAt < AWAY_AFTER_FAILURE_MS;
    if (!wasAway || !isUsable(entry, now)) return undefined;
    this.#tryAgain(keyHash, entry);
    return 'stale';
  }

  #tryAgain(keyHash: string, stale: Entry): void {
    if (this.#tryingAgain) return;
    this.#tryingAgain = true;
    const over = (): void => void (this.#tryingAgain = false);
    this.#read(keyHash, stale).then(over, over);
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
      const entry = { session: await readSession(this.#db, keyHash), readAt };
      this.#failedAt = -Infinity;
      if (this.#changedSince(countBefore, entry.session)) return await this.#load(keyHash, stale);
      this.#remember(keyHash, entry);
      return entry;
    } catch (error) {
      if (isUnavailable(error)) this.#failedAt = performance.now();
      // A change that was announced is known to have made the entry wrong: it is no longer in the cache then.
      if (stale !== undefined && isUsable(stale, readAt) && this.#entries.has(keyHash)) return stale;
      throw error;
    }
  }

  #changedSince(count: number, session: Session | undefined): boolean {
    const changedAt = session === undefined ? 0 : (this.#changedAt.get(session.license.id) ?? 0);
    return Math.max(changedAt, this.#lastGap) > count;
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

function isUsable(entry: Entry, now: number): boolean {
  return now - entry.readAt < STALE_WHILE_DATABASE_IS_AWAY_MS;
}
