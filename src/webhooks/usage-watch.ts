import type { Knex } from 'knex';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { LicenseView, ReadLicense } from './license-view.ts';
import type { Outbox } from './outbox.ts';
import type { Scans } from './scans.ts';
import {
  codeOf,
  dayOf,
  firstOfMonth,
  isoDay,
  reachedOf,
  thresholdEvent,
  type Limits,
  type Used,
} from './thresholds.ts';

/** How often the ledger is searched for what no instance lived to tell. Milliseconds. */
const SWEEP_EVERY = 300_000;
/** What was admitted is in the ledger by then. Milliseconds. */
const LEDGER_LAG = 10_000;
/** Licenses a statement. */
const PAGE = 500;
/** Licenses near their limit that are remembered as told, or wait to be. */
const REMEMBERED = 50_000;

interface Options {
  db: Knex;
  clock: Clock;
  outbox: Outbox;
  scans: Scans;
  readLicense: ReadLicense;
}

/**
 * Tells when a license comes near its limits. What an admission counted says so, on the path of a request in a few
 * comparisons; the event is written a moment later. The ledger is searched from time to time: for what was admitted by an
 * instance that was killed in that moment, and for limits that were lowered.
 */
export class UsageWatch {
  readonly #options: Options;
  /** What was told last, by license. */
  readonly #told = new LRUCache<string, number>({ max: REMEMBERED });
  #found = new Map<string, { licenseId: string; used: Used }>();
  /** Whether an endpoint asks for it; otherwise nothing is done. */
  isAsked = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Takes note of what an admission counted. */
  observe(licenseId: string, used: Used, limits: Limits): void {
    if (!this.isAsked) return;
    const code = codeOf(used, limits);
    if (code === 0 || this.#told.get(licenseId) === code || this.#found.size >= REMEMBERED) return;
    this.#found.set(licenseId, { licenseId, used });
  }

  /** Writes what was found. What could not be written is found again. @throws the database's error */
  async flush(): Promise<void> {
    if (this.#found.size === 0) return;
    const found = [...this.#found.values()];
    this.#found = new Map();
    for (let start = 0; start < found.length; start += PAGE) {
      try {
        await this.#tell(found.slice(start, start + PAGE));
      } catch (error) {
        for (const one of found.slice(start))
          if (!this.#found.has(one.licenseId)) this.#found.set(one.licenseId, one);
        throw error;
      }
    }
  }

  /** Searches the ledger, if no instance has done so for a while. @throws the database's error */
  async sweep(): Promise<void> {
    const { clock, scans } = this.#options;
    const now = clock.now();
    const position = await scans.take('usage.threshold', now, SWEEP_EVERY);
    if (position === undefined) return;
    const today = dayOf(now);
    // The end of a day is searched after it is over, too; at the very first time there is none to be told of.
    const last = position.getTime() === 0 ? today : dayOf(position.getTime() - LEDGER_LAG);
    const first = Math.max(today - 1, last);
    for (let day = first; day <= today; day += 1) await this.#sweepDay(day, position);
    await scans.done('usage.threshold', new Date(now));
  }

  async #sweepDay(day: number, position: Date): Promise<void> {
    const { clock, scans } = this.#options;
    let cursor = '';
    for (;;) {
      const rows = await this.#ledgerPage(day, cursor);
      await this.#tell(
        rows.map(({ license_id: licenseId, today, month }) => ({
          licenseId,
          used: { day, today, thisMonth: month },
        })),
      );
      if (rows.length < PAGE) return;
      cursor = rows.at(-1)?.license_id ?? '';
      await scans.advance('usage.threshold', position, clock.now());
    }
  }

  /** What the licenses that were used on a day have used, on it and in its month until then. */
  async #ledgerPage(
    day: number,
    cursor: string,
  ): Promise<{ license_id: string; today: number; month: number }[]> {
    const { db } = this.#options;
    const date = isoDay(day);
    return db('usage')
      .whereIn(
        'license_id',
        db('usage')
          .where({ day: date })
          .where('license_id', '>', cursor)
          .distinct('license_id')
          .orderBy('license_id')
          .limit(PAGE),
      )
      .whereBetween('day', [firstOfMonth(day), date])
      .groupBy('license_id')
      .orderBy('license_id')
      .select<{ license_id: string; today: number; month: number }[]>(
        'license_id',
        db.raw('coalesce(sum(requests) FILTER (WHERE day = ?), 0)::int8 AS today', [date]),
        db.raw('sum(requests)::int8 AS month'),
      );
  }

  async #tell(found: { licenseId: string; used: Used }[]): Promise<void> {
    const { db, clock, outbox, readLicense } = this.#options;
    const ids = found.map(({ licenseId }) => licenseId);
    const rows = await db('licenses').whereIn('id', ids).select<never[]>();
    const licenses = new Map<string, LicenseView>(rows.map(readLicense).map((view) => [view.id, view]));
    for (const { licenseId, used } of found) {
      const license = licenses.get(licenseId);
      if (license === undefined) continue;
      const code = codeOf(used, license.limits);
      if (code === 0 || this.#told.get(licenseId) === code) continue;
      for (const reached of reachedOf(used, license.limits))
        await outbox.add(db, thresholdEvent(license, used.day, reached, clock.now()));
      this.#told.set(licenseId, code);
    }
  }
}
