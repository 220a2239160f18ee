import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import type { Actor } from './changes-recorder.ts';
import type { License } from './license.ts';
import { licenseFrom, type LicenseRow } from './license-rows.ts';
import type { Licenses } from './licenses.ts';
import type { Tier, Tiers } from './tiers.ts';
import { Turns } from './turns.ts';
import { lower, type Proof, type Verifications } from './verifications.ts';

/** What the owner of an address is to be told by mail. */
export type Notice = { about: 'code'; code: string } | { about: 'already_licensed'; license: License };

export type Begun =
  /** `notice` is undefined where no mail is due; the HTTP client must not learn which of the three it is. */
  | { begun: true; tier: Tier; needsCode: boolean; notice: Notice | undefined }
  | { begun: false; refusal: 'sign_up_not_offered'; tier: string };

export type Finished =
  | { finished: true; license: License; licenseKey: string; tier: Tier }
  | { finished: false; refusal: 'invalid_code' | 'license_exists' }
  | { finished: false; refusal: 'sign_up_not_offered'; tier: string };

const CLEAN_EVERY = 3_600_000;

interface Options {
  db: Knex;
  clock: Clock;
  licenses: Licenses;
  verifications: Verifications;
  tiers: () => Tiers;
  /** False: no code is asked for, whatever the tier says (development). */
  requireVerification: boolean;
}

/** Customers make licenses of `self_service` tiers themselves: one license for an address and tier, ever. */
export class SignUp {
  readonly #options: Options;
  readonly #turns = new Turns();
  #cleanedAt = -Infinity;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The tier that a sign-up is for; undefined where it is none of those that are open to it. */
  offered(tierId: string | undefined): Tier | undefined {
    const open = [...this.#options.tiers().values()].filter((tier) => tier.selfService && !tier.deprecated);
    return open.find((tier) => (tierId === undefined ? !tier.hidden : tier.id === tierId));
  }

  needsCode(tier: Tier): boolean {
    return this.#options.requireVerification && tier.emailVerificationRequired;
  }

  /** @param tierId without it, the first tier of the file that is open to sign-up and not hidden */
  async begin(email: string, tierId: string | undefined): Promise<Begun> {
    const tier = this.offered(tierId);
    if (tier === undefined) return { begun: false, refusal: 'sign_up_not_offered', tier: tierId ?? '' };
    const needsCode = this.needsCode(tier);
    const now = this.#options.clock.now();
    await this.#clean(now);
    const notice = await this.#turns.take(lower(email), () =>
      this.#options.db.transaction(async (db) => {
        const license = await licenseOf(db, email, tier.id);
        const proof: Proof = !needsCode ? 'none' : license === undefined ? 'code' : 'impossible';
        const code = await this.#options.verifications.start(db, { email, tier: tier.id, proof, now });
        if (code === undefined || !needsCode) return undefined;
        return license === undefined
          ? { about: 'code' as const, code }
          : { about: 'already_licensed' as const, license };
      }),
    );
    return { begun: true, tier, needsCode, notice };
  }

  /** Makes the license: once, however many bring the right code at the same time. */
  async finish(email: string, code: string, by: Actor): Promise<Finished> {
    // They would wait for the row anyway; waiting here they take no connection from anybody else.
    return this.#turns.take(lower(email), () =>
      this.#options.db.transaction((db) => this.#finish(db, email, code, by)),
    );
  }

  async #finish(db: Knex, email: string, code: string, by: Actor): Promise<Finished> {
    const { clock, licenses, verifications } = this.#options;
    const right = await verifications.attempt(db, { email, code, now: clock.now() });
    if (right === undefined) return { finished: false, refusal: 'invalid_code' };
    const tier = this.offered(right.tier);
    if (tier === undefined) return { finished: false, refusal: 'sign_up_not_offered', tier: right.tier };
    // What was asked for without a code is no proof for a tier that wants one by now.
    if (!right.neededCode && this.needsCode(tier)) return { finished: false, refusal: 'invalid_code' };
    await verifications.use(db, email);
    if ((await licenseOf(db, email, tier.id)) !== undefined)
      return { finished: false, refusal: 'license_exists' };
    const made = await licenses.createWithin(db, { email, name: email, tier: tier.id }, by);
    return { finished: true, ...made, tier };
  }

  async #clean(now: number): Promise<void> {
    if (now - this.#cleanedAt < CLEAN_EVERY) return;
    this.#cleanedAt = now;
    await this.#options.verifications.forgetOld(this.#options.db, now);
  }
}

/** In whatever state it is: who let a trial expire gets no second one, and who was suspended or revoked no new start. */
async function licenseOf(db: Knex, email: string, tier: string): Promise<License | undefined> {
  const row = await db<LicenseRow>('licenses')
    .whereRaw('lower(email) = ?', [lower(email)])
    .where({ tier })
    .orderBy('created_at', 'desc')
    .first();
  return row && licenseFrom(row);
}
