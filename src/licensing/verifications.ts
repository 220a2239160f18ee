import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import type { Knex } from 'knex';

/** How long a code is good. Milliseconds. */
export const CODE_LIFETIME = 15 * 60_000;
/** Guesses at one code; after them it is void. */
const TRIES = 5;

/** What an address may be sent (contract §3.4 leaves it to us): at most one mail a minute, and five an hour. */
export const MAIL_EVERY = 60_000;
const MAILS_WITHIN = 3_600_000;
const MOST_MAILS = 5;

/** A row of `verifications`. */
interface Row {
  email: string;
  tier: string;
  needs_code: boolean;
  code_hash: Uint8Array | null;
  expires_at: Date;
  tries_left: number;
  mailed_at: number[];
}

/** What an address that asks for a license has to prove. */
export type Proof = 'code' | 'none' | 'impossible';

/** Codes that prove that an address is its owner's. All methods want the caller's transaction. */
export class Verifications {
  readonly #secret: Buffer;

  /** @param secret keys the hashes of codes, which are too short to be hashed without one */
  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /**
   * Starts over for an address; a code of before is void. Undefined where the address was mailed too often: then what
   * was started before stays as it is.
   * @param proof `impossible`: no code will be right
   * @returns the code to mail; also where none is right, so that both cases do the same work
   */
  async start(
    db: Knex,
    { email, tier, proof, now }: { email: string; tier: string; proof: Proof; now: number },
  ): Promise<string | undefined> {
    const row = await lockedRow(db, email, tier, now);
    const mailedAt = row.mailed_at.filter((at) => at > now - MAILS_WITHIN);
    const isMailed = proof !== 'none';
    const isTooSoon = (mailedAt.at(-1) ?? -Infinity) > now - MAIL_EVERY || mailedAt.length >= MOST_MAILS;
    if (isMailed && isTooSoon) return undefined;
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    await rows(db)
      .where({ email: row.email })
      .update({
        tier,
        needs_code: isMailed,
        code_hash: proof === 'code' ? this.#hash(row.email, code) : null,
        expires_at: new Date(now + CODE_LIFETIME),
        tries_left: TRIES,
        mailed_at: JSON.stringify(isMailed ? [...mailedAt, now] : mailedAt) as never,
      });
    return code;
  }

  /**
   * Uses up one try. The tier that was asked for, where the code is right; the row stays locked until the caller's
   * transaction ends.
   */
  async attempt(
    db: Knex,
    { email, code, now }: { email: string; code: string; now: number },
  ): Promise<{ tier: string; neededCode: boolean } | undefined> {
    const given = this.#hash(lower(email), code);
    const [row] = await rows(db)
      .where({ email: lower(email) })
      .where('tries_left', '>', 0)
      .where('expires_at', '>', new Date(now))
      .update({ tries_left: db.raw('tries_left - 1') as never })
      .returning('*');
    if (row === undefined) return undefined;
    const isRight = row.needs_code ? row.code_hash !== null && timingSafeEqual(given, row.code_hash) : true;
    return isRight ? { tier: row.tier, neededCode: row.needs_code } : undefined;
  }

  /** A code is good for one license. */
  async use(db: Knex, email: string): Promise<void> {
    await rows(db)
      .where({ email: lower(email) })
      .update({ code_hash: null, tries_left: 0 });
  }

  /** Forgets addresses whose code has been over for a day. */
  async forgetOld(db: Knex, now: number): Promise<void> {
    await rows(db)
      .where('expires_at', '<', new Date(now - 24 * 3_600_000))
      .delete();
  }

  #hash(email: string, code: string): Buffer {
    return createHmac('sha256', this.#secret).update(`${email}\n${code}`).digest();
  }
}

/** The address' row, made if need be; until the caller's transaction ends it is the caller's alone. */
async function lockedRow(db: Knex, email: string, tier: string, now: number): Promise<Row> {
  const fresh = { tier, needs_code: true, code_hash: null, expires_at: new Date(now), tries_left: 0 };
  await db('verifications')
    .insert({ ...fresh, email: lower(email), mailed_at: '[]' })
    .onConflict('email')
    .ignore();
  const row = await rows(db)
    .where({ email: lower(email) })
    .forUpdate()
    .first();
  if (row === undefined) throw new Error('the verification was not stored');
  return row;
}

function rows(db: Knex): Knex.QueryBuilder<Row, Row[]> {
  return db<Row, Row[]>('verifications');
}

/** Addresses that differ in case alone are one person's, whatever RFC 5321 allows a mail server to think. */
export function lower(email: string): string {
  return email.toLowerCase();
}
