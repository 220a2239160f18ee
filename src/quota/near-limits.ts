import { LRUCache } from 'lru-cache';
import type { QuotaLimits, Used } from './admission.ts';
import { monthOfDay, type Window } from './windows.ts';

export type Level = '80' | '100';

/** Who has used so much of a window that begins with this day or month. */
export interface NearSet {
  readonly tier: string;
  readonly window: Window;
  /** As of `dayOf` or `monthOf`. */
  readonly number: number;
  readonly level: Level;
}

/** Where the sets of licenses are kept: in Redis for all instances, or in this process. None of it ever rejects. */
export interface NearSets {
  add(set: NearSet, licenseId: string): void;
  remove(set: NearSet, licenseId: string): void;
  /** How many there are; undefined: it cannot be told now. */
  size(set: NearSet): number | undefined | Promise<number | undefined>;
}

interface Note {
  sets: readonly NearSet[];
  /** Of what it was noted from; another value is another state. */
  state: number;
  day: number;
  notedAt: number;
}

/** What was noted is noted again so soon, in case that Redis has lost it. Milliseconds. */
const NOTE_AGAIN = 300_000;
const MOST_NOTES = 100_000;

/**
 * Keeps count of the licenses that have used 80 % or all of a window, from what each admission tells anyway. Nothing is
 * done for a license that is not near its limits; one that is costs a command when it gets there, not at each request.
 */
export class NearLimits {
  readonly #sets: NearSets;
  readonly #notes = new LRUCache<string, Note>({ max: MOST_NOTES });

  constructor(sets: NearSets) {
    this.#sets = sets;
  }

  note(license: { id: string; tier: string }, limits: QuotaLimits, used: Used): void {
    const state = 3 * share(used.today, limits.daily) + share(used.thisMonth, limits.monthly);
    if (state === 0 && this.#notes.size === 0) return;
    const before = this.#notes.get(license.id);
    if (state === (before?.state ?? 0) && used.day === (before?.day ?? used.day)) {
      if (before === undefined || performance.now() - before.notedAt < NOTE_AGAIN) return;
    }
    this.forget(license.id);
    if (state === 0) return;
    const sets = setsOf(license.tier, state, used.day);
    this.#notes.set(license.id, { sets, state, day: used.day, notedAt: performance.now() });
    for (const set of sets) this.#sets.add(set, license.id);
  }

  /** When a license has changed: its next request tells what it is now. */
  forget(licenseId: string): void {
    const note = this.#notes.get(licenseId);
    if (note === undefined) return;
    this.#notes.delete(licenseId);
    for (const set of note.sets) this.#sets.remove(set, licenseId);
  }

  /** @param day days since 1970-01-01 */
  async counts(tiers: Iterable<string>, day: number): Promise<(NearSet & { licenses: number })[]> {
    const sets = [...tiers].flatMap((tier) => setsOf(tier, 8, day));
    const sizes = await Promise.all(sets.map(async (set) => this.#sets.size(set)));
    return sets.flatMap((set, index) => {
      const licenses = sizes[index];
      return licenses === undefined ? [] : [{ ...set, licenses }];
    });
  }
}

/** 0: less than 80 % of a limit is used; 1: less than all; 2: all. */
function share(used: number, limit: number): 0 | 1 | 2 {
  if (limit < 0 || used * 5 < limit * 4) return 0;
  return used < limit ? 1 : 2;
}

/** The sets that a license belongs to: who has used all has used 80 % as well. */
function setsOf(tier: string, state: number, day: number): NearSet[] {
  const ofWindow = (window: Window, number: number, reached: number): NearSet[] =>
    (['80', '100'] as const).slice(0, reached).map((level) => ({ tier, window, number, level }));
  return [...ofWindow('day', day, Math.floor(state / 3)), ...ofWindow('month', monthOfDay(day), state % 3)];
}
