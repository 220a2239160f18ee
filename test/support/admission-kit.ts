import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Admission, Call, Decision, QuotaLimits, Ticket, Used } from '../../src/quota/admission.ts';
import type { AdmissionWorld } from './admission-world.ts';
import type { FakeClock } from './fake-clock.ts';

/** How many admissions are tried at once where a limit has to hold. */
export const CROWD = 2_000;

interface Tally {
  admitted: number;
  day: number;
  month: number;
  unavailable: number;
}

/** What the tests of the suite are written with. */
export interface Kit {
  readonly world: AdmissionWorld;
  readonly clock: FakeClock;
  /** A call of a license that nobody has counted yet. */
  newCall(fields?: Partial<Call>): Call;
  /** One admission on one of the instances. */
  admit(call: Call, limits: QuotaLimits): Promise<Decision>;
  /** One that has to be admitted. */
  ticket(call: Call, limits?: QuotaLimits): Promise<Ticket>;
  /** So many at the same moment, spread over the instances and over five devices. */
  crowd(call: Call, limits: QuotaLimits, times?: number): Promise<Decision[]>;
  used(call: Call): Promise<Pick<Used, 'today' | 'thisMonth'>>;
  /** One report on one of the instances, which has to be booked; what is used after it. */
  report(call: Call, count: number): Promise<Pick<Used, 'today' | 'thisMonth'>>;
}

export const UNLIMITED: QuotaLimits = { daily: -1, monthly: -1 };

/** How often each answer was given. */
export function tally(decisions: Decision[]): Tally {
  const counts: Tally = { admitted: 0, day: 0, month: 0, unavailable: 0 };
  for (const decision of decisions) {
    counts[decision.outcome === 'refused' ? decision.exceeded : decision.outcome] += 1;
  }
  return counts;
}

/** The tickets of those that were admitted. */
export function ticketsOf(decisions: Decision[]): Ticket[] {
  return decisions.flatMap((decision) => (decision.outcome === 'admitted' ? [decision.ticket] : []));
}

export class SuiteKit implements Kit {
  readonly clock: FakeClock;
  readonly #world: () => AdmissionWorld;
  #turn = 0;

  constructor(clock: FakeClock, world: () => AdmissionWorld) {
    this.clock = clock;
    this.#world = world;
  }

  get world(): AdmissionWorld {
    return this.#world();
  }

  newCall(fields: Partial<Call> = {}): Call {
    const licenseId = `lic_${randomBytes(12).toString('hex')}`;
    return { licenseId, deviceId: 1, provider: 'openai', model: 'gpt-4o', ...fields };
  }

  admit(call: Call, limits: QuotaLimits): Promise<Decision> {
    return this.#next().admit(call, limits);
  }

  async ticket(call: Call, limits: QuotaLimits = UNLIMITED): Promise<Ticket> {
    const decision = await this.admit(call, limits);
    assert.equal(decision.outcome, 'admitted');
    return decision.ticket;
  }

  crowd(call: Call, limits: QuotaLimits, times: number = CROWD): Promise<Decision[]> {
    return Promise.all(
      Array.from({ length: times }, (_, index) => this.admit({ ...call, deviceId: (index % 5) + 1 }, limits)),
    );
  }

  async used(call: Call): Promise<Pick<Used, 'today' | 'thisMonth'>> {
    const { today, thisMonth } = await this.#next().used(call.licenseId);
    return { today, thisMonth };
  }

  async report(call: Call, count: number): Promise<Pick<Used, 'today' | 'thisMonth'>> {
    const reported = await this.#next().report(call, count);
    assert.equal(reported.outcome, 'booked');
    const { today, thisMonth } = reported.used;
    return { today, thisMonth };
  }

  #next(): Admission {
    const { admissions } = this.world;
    const admission = admissions[this.#turn++ % admissions.length];
    assert.ok(admission);
    return admission;
  }
}
