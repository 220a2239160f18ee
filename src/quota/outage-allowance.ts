import type { Clock } from '../clock.ts';
import type {
  Admission,
  Call,
  Decision,
  QuotaLimits,
  Reported,
  Settlement,
  Ticket,
  Used,
} from './admission.ts';
import type { Bookings } from './bookings.ts';
import { bookingOf } from './redis-admission.ts';
import { dayOf } from './windows.ts';

/** Failures that lie closer together than this are one outage: a Redis that flaps gives no allowance twice. Milliseconds. */
const ONE_OUTAGE = 60_000;

interface Options {
  counters: Admission;
  bookings: Bookings;
  nextTag: () => string;
  clock: Clock;
}

/**
 * Admits by itself while the counters cannot be asked, for tiers that say `on_counter_outage = "allow"`: so many
 * requests of a license an outage, counted in this instance alone, and booked as soon as the counters are back. So the
 * licenses' limits are exceeded by their allowance times the number of instances at most.
 */
export class OutageAllowance implements Admission {
  readonly #options: Options;
  readonly #admitted = new Map<string, number>();
  #failedAt = -Infinity;

  constructor(options: Options) {
    this.#options = options;
  }

  async admit(call: Call, limits: QuotaLimits): Promise<Decision> {
    const decision = await this.#options.counters.admit(call, limits);
    if (decision.outcome !== 'unavailable') return decision;
    const now = performance.now();
    if (now - this.#failedAt > ONE_OUTAGE) this.#admitted.clear();
    this.#failedAt = now;
    const admitted = this.#admitted.get(call.licenseId) ?? 0;
    if (admitted >= (limits.outageAllowance ?? 0)) return decision;
    this.#admitted.set(call.licenseId, admitted + 1);
    const { bookings, nextTag, clock } = this.#options;
    const ticket = { call, day: dayOf(clock.now()), tag: nextTag() };
    bookings.bookLater(bookingOf(ticket));
    return { outcome: 'admitted', ticket, used: undefined };
  }

  /** Reports wait for the counters: who is told 503 reports again. */
  report(call: Call, count: number): Promise<Reported> {
    return this.#options.counters.report(call, count);
  }

  async settle(ticket: Ticket, settlement: Settlement): Promise<void> {
    // What has not been booked yet need not be given back.
    if (settlement.refund && this.#options.bookings.cancel(ticket.tag)) return;
    await this.#options.counters.settle(ticket, settlement);
  }

  used(licenseId: string): Promise<Used> {
    return this.#options.counters.used(licenseId);
  }
}
