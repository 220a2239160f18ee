import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import { EXPIRING_BEFORE, type NewEvent } from './event-types.ts';
import type { LicenseView, ReadLicense } from './license-view.ts';
import type { Outbox } from './outbox.ts';
import type { Scans } from './scans.ts';

/** How often it is looked for. Milliseconds. */
const EVERY = 5_000;
/**
 * A change that was under way while a scan passed was not seen by it: the scans after it look back so far, longer than
 * any transaction takes. Milliseconds.
 */
const LOOK_BACK = 60_000;
const PAGE = 200;

type Kind = 'license.expired' | 'license.expiring';

interface Options {
  db: Knex;
  clock: Clock;
  outbox: Outbox;
  scans: Scans;
  readLicense: ReadLicense;
}

/** Finds the licenses whose end has come, or comes within a week, since it last looked: each once. */
export class ExpiryScan {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @param since when the first endpoint that asks was made: nobody has to be told of what was before */
  async run(kind: Kind, since: Date): Promise<void> {
    const { clock, scans } = this.#options;
    const now = clock.now();
    const position = await scans.take(kind, now, EVERY);
    if (position === undefined) return;
    const lead = kind === 'license.expiring' ? EXPIRING_BEFORE : 0;
    let from = Math.max(position.getTime(), since.getTime()) - LOOK_BACK;
    for (;;) {
      const page = await this.#page(kind, new Date(from + lead), new Date(now + lead));
      for (const license of page) await this.#add(kind, license, lead);
      const last = page.at(-1)?.expiresAt;
      if (page.length < PAGE || last === undefined) break;
      // Those that are written are not found again, so that a page may begin with the moment that the one before ends with.
      from = Math.max(from, last.getTime() - lead - 1);
      await scans.advance(kind, new Date(from), clock.now());
    }
    await scans.done(kind, new Date(now));
  }

  async #page(kind: Kind, after: Date, until: Date): Promise<LicenseView[]> {
    const { db, readLicense } = this.#options;
    const rows: never[] = await db('licenses as l')
      .where({ status: 'active' })
      .where('expires_at', '>', after)
      .where('expires_at', '<=', until)
      .whereNotExists(
        db('webhook_events').whereRaw(
          `once_key = ? || l.id || to_char(l.expires_at AT TIME ZONE 'UTC', ' YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
          [`${kind} `],
        ),
      )
      .orderBy(['expires_at', 'id'])
      .limit(PAGE)
      .select('l.*');
    return rows.map(readLicense);
  }

  async #add(kind: Kind, license: LicenseView, lead: number): Promise<void> {
    if (license.expiresAt === undefined) return;
    const event = expiryEvent(kind, license, license.expiresAt, license.expiresAt.getTime() - lead);
    await this.#options.outbox.add(this.#options.db, { ...event, onlyEndpointsOfThen: true });
  }
}

export function expiryEvent(kind: Kind, license: LicenseView, expiresAt: Date, at: number): NewEvent {
  return {
    type: kind,
    at,
    licenseId: license.id,
    data: license.data,
    onceKey: `${kind} ${license.id} ${expiresAt.toISOString()}`,
  };
}

/**
 * What follows for its expiry from a change of a license, at once: the scan finds only what comes by the passing of time.
 * @param before undefined where it is new
 */
export function expiryAfterChange(
  before: LicenseView | undefined,
  after: LicenseView,
  now: number,
): NewEvent[] {
  const isAsBefore =
    before?.status === after.status && before.expiresAt?.getTime() === after.expiresAt?.getTime();
  if (isAsBefore || after.status !== 'active' || after.expiresAt === undefined) return [];
  const end = after.expiresAt.getTime();
  if (end <= now) return [expiryEvent('license.expired', after, after.expiresAt, now)];
  if (end - EXPIRING_BEFORE <= now) return [expiryEvent('license.expiring', after, after.expiresAt, now)];
  return [];
}
