import { isDeepStrictEqual } from 'node:util';
import type { Knex } from 'knex';
import type { Tiers } from './tiers.ts';

/** What a change of the tiers came to. */
export type TiersEvent =
  | { kind: 'replaced'; added: string[]; changed: string[]; removed: string[] }
  | { kind: 'refused'; problems: readonly string[] }
  /** At the start: the file lacks tiers of licenses, whose requests are refused. */
  | { kind: 'lacking'; problems: readonly string[] };

/**
 * The tiers of this instance. Whoever asks gets one whole set, the one before a change or the one after it; the next
 * request goes by the new one.
 */
export class TiersInForce {
  readonly #db: Knex;
  readonly #tell: (event: TiersEvent) => void;
  #tiers: Tiers;
  #replacing: Promise<unknown> = Promise.resolve();

  constructor(tiers: Tiers, db: Knex, tell: (event: TiersEvent) => void) {
    this.#tiers = tiers;
    this.#db = db;
    this.#tell = tell;
  }

  readonly current = (): Tiers => this.#tiers;

  /**
   * Puts others in force, all at once. A set that drops a tier which licenses still have is refused, and so is one for
   * which that cannot be found out. Never rejects; whether they are in force.
   */
  replace(tiers: Tiers): Promise<boolean> {
    // One after the other: of two signals the later one decides.
    const replacing = this.#replacing.then(() => this.#replace(tiers));
    this.#replacing = replacing;
    return replacing;
  }

  /** A set that could not even be read. */
  refuse(problems: readonly string[]): void {
    this.#tell({ kind: 'refused', problems });
  }

  /** Tells, at the start, of tiers that licenses have and that the file lacks: an instance has to come up all the same. */
  async lookForDropped(): Promise<void> {
    const problems = await this.#dropped(this.#tiers).catch(() => []);
    if (problems.length > 0) this.#tell({ kind: 'lacking', problems });
  }

  async #replace(tiers: Tiers): Promise<boolean> {
    const problems = await this.#dropped(tiers).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      return [`whether licenses have a tier that is dropped cannot be found out: ${reason}`];
    });
    if (problems.length > 0) {
      this.refuse(problems);
      return false;
    }
    const before = this.#tiers;
    this.#tiers = tiers;
    this.#tell({ kind: 'replaced', ...differences(before, tiers) });
    return true;
  }

  async #dropped(tiers: Tiers): Promise<string[]> {
    const counts = await countByTier(this.#db);
    return [...counts].flatMap(([tier, { open }]) => {
      if (tiers.has(tier) || open === 0) return [];
      const licenses = open === 1 ? '1 license has' : `${open} licenses have`;
      return [
        `there is no tier "${tier}", which ${licenses}: keep it as deprecated, and move them with "licensify tier migrate ${tier}"`,
      ];
    });
  }
}

/** How many licenses each tier has; `open` are those that are not revoked. */
export async function countByTier(db: Knex): Promise<Map<string, { all: number; open: number }>> {
  const rows = await db('licenses')
    .groupBy('tier')
    .select<{ tier: string; all: number; open: number }[]>(
      'tier',
      db.raw('count(*)::int8 as "all"'),
      db.raw("count(*) filter (where status <> 'revoked')::int8 as open"),
    );
  return new Map(rows.map(({ tier, all, open }) => [tier, { all, open }]));
}

function differences(before: Tiers, after: Tiers): Omit<Extract<TiersEvent, { kind: 'replaced' }>, 'kind'> {
  const added = [...after.keys()].filter((id) => !before.has(id));
  const removed = [...before.keys()].filter((id) => !after.has(id));
  const changed = [...after.values()].filter(
    (tier) => before.has(tier.id) && !isDeepStrictEqual(tier, before.get(tier.id)),
  );
  return { added, changed: changed.map(({ id }) => id), removed };
}
