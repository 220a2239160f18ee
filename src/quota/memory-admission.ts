import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import {
  bookingsOf,
  type Admission,
  type Booking,
  type Call,
  type CounterSource,
  type Decision,
  type QuotaLimits,
  type Reported,
  type Settlement,
  type Ticket,
  type Used,
} from './admission.ts';
import { dayOf, monthOfDay } from './windows.ts';

interface Counter {
  day: number;
  today: number;
  month: number;
  thisMonth: number;
}

/**
 * Counts in this process, for a gateway that runs alone. Each booking goes to a sink that writes it to PostgreSQL
 * within a second, and a counter that is missing is read from there: after a crash, at midnight, and when it made
 * room for others, alike.
 */
export class MemoryAdmission implements Admission {
  readonly #clock: Clock;
  readonly #source: CounterSource;
  readonly #book: (booking: Booking) => void;
  readonly #counters = new LRUCache<string, Counter>({ max: 1_000_000 });
  readonly #warming = new Map<string, Promise<Counter>>();

  constructor(options: { clock: Clock; source: CounterSource; book: (booking: Booking) => void }) {
    this.#clock = options.clock;
    this.#source = options.source;
    this.#book = options.book;
  }

  async admit(call: Call, limits: QuotaLimits): Promise<Decision> {
    let counter: Counter;
    try {
      counter = await this.#counter(call.licenseId);
    } catch (cause) {
      return { outcome: 'unavailable', cause };
    }
    // From here to the end nothing is awaited: this is the atomic step.
    if (limits.daily >= 0 && counter.today >= limits.daily) {
      return { outcome: 'refused', exceeded: 'day', used: { ...counter } };
    }
    if (limits.monthly >= 0 && counter.thisMonth >= limits.monthly) {
      return { outcome: 'refused', exceeded: 'month', used: { ...counter } };
    }
    this.#count(call, counter, 1);
    return { outcome: 'admitted', ticket: { call, day: counter.day, tag: '' }, used: { ...counter } };
  }

  async report(call: Call, count: number): Promise<Reported> {
    try {
      const counter = await this.#counter(call.licenseId);
      this.#count(call, counter, count);
      return { outcome: 'booked', used: { ...counter } };
    } catch (cause) {
      return { outcome: 'unavailable', cause };
    }
  }

  settle(ticket: Ticket, settlement: Settlement): Promise<void> {
    const counter = this.#counters.peek(ticket.call.licenseId);
    if (settlement.refund && counter !== undefined) {
      if (counter.day === ticket.day) counter.today = Math.max(0, counter.today - 1);
      if (counter.month === monthOfDay(ticket.day)) counter.thisMonth = Math.max(0, counter.thisMonth - 1);
    }
    for (const booking of bookingsOf(ticket, settlement)) this.#book(booking);
    return Promise.resolve();
  }

  async used(licenseId: string): Promise<Used> {
    return { ...(await this.#counter(licenseId)) };
  }

  #count(call: Call, counter: Counter, requests: number): void {
    counter.today += requests;
    counter.thisMonth += requests;
    this.#book({ ...call, day: counter.day, requests, refunded: 0 });
  }

  /** The counter of the present day and month; requests that find it missing wait for the same reading. */
  async #counter(licenseId: string): Promise<Counter> {
    for (;;) {
      const day = dayOf(this.#clock.now());
      const counter = this.#counters.get(licenseId);
      if (counter?.day === day) return counter;
      const key = `${licenseId} ${day}`;
      let warming = this.#warming.get(key);
      if (warming === undefined) {
        warming = this.#warm(licenseId, day).finally(() => this.#warming.delete(key));
        this.#warming.set(key, warming);
      }
      await warming;
    }
  }

  async #warm(licenseId: string, day: number): Promise<Counter> {
    const { today, thisMonth } = await this.#source.countsOf(licenseId, day);
    const month = monthOfDay(day);
    // At midnight the month goes on: yesterday's counter has also what was given back during the reading.
    const before = this.#counters.peek(licenseId);
    const counter = { day, today, month, thisMonth: before?.month === month ? before.thisMonth : thisMonth };
    this.#counters.set(licenseId, counter);
    return counter;
  }
}
