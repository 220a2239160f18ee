import type { Window } from './windows.ts';

/** A license's limits in requests; −1 is unlimited. */
export interface QuotaLimits {
  readonly daily: number;
  readonly monthly: number;
  /** How many requests an instance may admit by itself while the counters cannot be asked; 0: none. */
  readonly outageAllowance?: number;
}

/** What is to be counted, and where it is booked. */
export interface Call {
  readonly licenseId: string;
  readonly deviceId: number;
  readonly provider: string;
  /** '' where it is not known yet, or there is none. */
  readonly model: string;
}

/** What has been counted of a license in the windows that `day` lies in. */
export interface Used {
  /** Days since 1970-01-01, UTC, by the clock that decides. */
  readonly day: number;
  readonly today: number;
  readonly thisMonth: number;
}

/** An admitted call: what is needed to settle it. */
export interface Ticket {
  readonly call: Call;
  readonly day: number;
  /** Names the admission among all of the installation's: what repeats its booking finds it by that. */
  readonly tag: string;
}

export type Decision =
  /** `used` is unknown where it was admitted while the counters could not be asked. */
  | { outcome: 'admitted'; ticket: Ticket; used: Used | undefined }
  | { outcome: 'refused'; exceeded: Window; used: Used }
  /** The counters could not be asked, or did not answer in time: nobody knows. */
  | { outcome: 'unavailable'; cause: unknown };

/** What came of a report. */
export type Reported =
  | { outcome: 'booked'; used: Used }
  /** The counters could not be asked, or did not answer in time: nothing of it is booked, now or later. */
  | { outcome: 'unavailable'; cause: unknown };

/** What became of an admitted call, where that changes what was booked. */
export interface Settlement {
  /** Gives the request back to the windows that it was counted in. */
  refund: boolean;
  /** The model, if it became known only after admission. */
  model?: string | undefined;
}

/**
 * Decides whether a request may go. One atomic step over all windows: it is counted in each or in none, a refused
 * request counts nothing, and for any number of callers a limit of L admits exactly L.
 */
export interface Admission {
  admit(call: Call, limits: QuotaLimits): Promise<Decision>;
  /**
   * Counts what was used already, outside of the gateway: in every window, whatever the limits are. It goes the way of
   * an admission, into the ledger exactly once.
   * @param count a whole number of requests, from 1
   */
  report(call: Call, count: number): Promise<Reported>;
  /** What cannot be booked now is booked as soon as it can be. */
  settle(ticket: Ticket, settlement: Settlement): Promise<void>;
  /** What is counted at present, counting nothing. @throws if the counters cannot be reached */
  used(licenseId: string): Promise<Used>;
}

/** What the ledger holds of a license in a UTC day and in its month. */
export interface Counts {
  readonly today: number;
  readonly thisMonth: number;
}

/** What PostgreSQL remembers, for counters in this process that start empty. */
export interface CounterSource {
  /**
   * With everything that was admitted before this call.
   * @param day days since 1970-01-01
   */
  countsOf(licenseId: string, day: number): Promise<Counts>;
}

/** A change of one row of the ledger. */
export interface Booking {
  readonly licenseId: string;
  readonly deviceId: number;
  readonly provider: string;
  readonly model: string;
  readonly day: number;
  readonly requests: number;
  readonly refunded: number;
}

/** The bookings that settling a ticket makes: one rule for all ways of counting. */
export function bookingsOf({ call, day }: Ticket, { refund, model }: Settlement): Booking[] {
  const final = model ?? call.model;
  const requests = refund ? 0 : 1;
  const refunded = refund ? 1 : 0;
  const admitted = { ...call, day, requests: -1, refunded: 0 };
  const settled = { ...call, day, model: final, requests, refunded };
  if (final !== call.model) return [admitted, settled];
  return refund ? [{ ...call, day, requests: -1, refunded: 1 }] : [];
}
