import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Knex } from 'knex';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Actor, Facts, Recorder, Role } from './changes-recorder.ts';
import { displayPrefix, hashKey, hashKeyText, type AdminTokenKeys } from './keys.ts';

/** A stored admin token, as it may be shown: never the token itself. */
export interface AdminToken {
  /** Public: `tok_…`. */
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  /** To the minute. */
  readonly lastUsedAt: Date | undefined;
}

interface TokenRow {
  id: string;
  token_hash: Uint8Array;
  token_prefix: string;
  name: string;
  role: Role;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

/** A use is noted at most this often. Milliseconds. */
const NOTE_USE_EVERY = 60_000;
/** Whether there are any tokens is asked at most this often. Milliseconds. */
const ASK_FOR_ANY_EVERY = 1_000;

/**
 * The tokens of administrators. Each use looks the token up, so that one that is revoked is refused at once on every
 * instance; what cannot have been issued, and what has been found dead, is refused from memory.
 */
export class AdminTokens {
  readonly #db: Knex;
  readonly #clock: Clock;
  readonly #keys: AdminTokenKeys;
  readonly #record: Recorder;
  /** Hashes of tokens that are revoked or past their time, which is for good. */
  readonly #dead = new LRUCache<string, true>({ max: 10_000 });
  #any: { askedAt: number; answer: Promise<boolean> } | undefined;

  constructor(options: { db: Knex; clock: Clock; keys: AdminTokenKeys; record: Recorder }) {
    this.#db = options.db;
    this.#clock = options.clock;
    this.#keys = options.keys;
    this.#record = options.record;
  }

  /** Makes a token; it is returned here and never again. */
  async create(
    { name, role, expiresAt }: { name: string; role: Role; expiresAt?: Date | undefined },
    by: Actor,
  ): Promise<{ token: AdminToken; secret: string }> {
    const secret = this.#keys.issue();
    const at = new Date(this.#clock.now());
    const token = await this.#db.transaction(async (trx) => {
      const [row] = await trx<TokenRow>('admin_tokens')
        .insert({
          id: `tok_${randomBytes(12).toString('hex')}`,
          token_hash: hashKey(secret),
          token_prefix: displayPrefix(secret),
          ...{ name, role, created_at: at, expires_at: expiresAt ?? null },
        })
        .returning('*');
      if (row === undefined) throw new Error('the token was not stored');
      const after = factsOf(tokenFrom(row));
      await this.#record(trx, { action: 'token.created', target: row.id, after, by, at });
      return tokenFrom(row);
    });
    this.#any = undefined;
    return { token, secret };
  }

  /** Newest first, from behind the token `after`. */
  async list(limit: number, after?: { createdAt: Date; id: string }): Promise<AdminToken[]> {
    const query = this.#db<TokenRow>('admin_tokens').orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ]);
    if (after !== undefined) void query.whereRaw('(created_at, id) < (?, ?)', [after.createdAt, after.id]);
    return (await query.limit(limit)).map(tokenFrom);
  }

  /** Ends a token for good; asking twice is no mistake. Undefined where there is none of that id. */
  async revoke(id: string, by: Actor): Promise<AdminToken | undefined> {
    return this.#db.transaction(async (trx) => {
      const row = await trx<TokenRow>('admin_tokens').where({ id }).forUpdate().first();
      if (row === undefined) return undefined;
      if (row.revoked_at !== null) return tokenFrom(row);
      const at = new Date(this.#clock.now());
      await trx<TokenRow>('admin_tokens').where({ id }).update({ revoked_at: at });
      const [before, after] = [{ revoked_at: null }, { revoked_at: at.toISOString(), name: row.name }];
      await this.#record(trx, { action: 'token.revoked', target: id, before, after, by, at });
      return tokenFrom({ ...row, revoked_at: at });
    });
  }

  /** The token that a client presented, if it may be used. @throws the database's error where it must be asked */
  async authenticate(presented: string): Promise<AdminToken | undefined> {
    if (!this.#keys.plausible(presented)) return undefined;
    const known = hashKeyText(presented);
    if (this.#dead.has(known)) return undefined;
    const hash = hashKey(presented);
    const row = await this.#db<TokenRow>('admin_tokens').where({ token_hash: hash }).first();
    if (row === undefined || !timingSafeEqual(row.token_hash, hash)) return undefined;
    const now = this.#clock.now();
    if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at.getTime() <= now)) {
      this.#dead.set(known, true);
      return undefined;
    }
    await this.#noteUse(row, now);
    return tokenFrom(row);
  }

  /** Whether any token may be used at present; asked once a second at most, however often it is called. */
  async hasAny(): Promise<boolean> {
    const now = performance.now();
    if (this.#any === undefined || now - this.#any.askedAt > ASK_FOR_ANY_EVERY) {
      this.#any = { askedAt: now, answer: this.#askForAny() };
    }
    return this.#any.answer;
  }

  async #askForAny(): Promise<boolean> {
    const row = await this.#db<TokenRow>('admin_tokens')
      .whereNull('revoked_at')
      .where((may) => {
        void may.whereNull('expires_at').orWhere('expires_at', '>', new Date(this.#clock.now()));
      })
      .first('id');
    return row !== undefined;
  }

  /** A note that cannot be made keeps nobody from working. */
  async #noteUse({ id, last_used_at: last }: TokenRow, now: number): Promise<void> {
    if (last !== null && now - last.getTime() < NOTE_USE_EVERY) return;
    await this.#db<TokenRow>('admin_tokens')
      .where({ id, last_used_at: last })
      .update({ last_used_at: new Date(now) })
      .catch(() => undefined);
  }
}

function factsOf({ name, role, prefix, expiresAt }: AdminToken): Facts {
  return { name, role, token_prefix: prefix, expires_at: expiresAt?.toISOString() ?? null };
}

function tokenFrom(row: TokenRow): AdminToken {
  return {
    id: row.id,
    prefix: row.token_prefix,
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}
