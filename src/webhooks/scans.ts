import type { Knex } from 'knex';

/** Whoever takes a scan and is not done by then is taken for dead. Milliseconds. */
const TAKEN_FOR = 60_000;

/** An instance asks at most so often whether it is its turn. Milliseconds. */
const ASK_EVERY = 10_000;

/** Which instance looks for what became due by the passing of time, and how far it has come. */
export class Scans {
  readonly #db: Knex;
  /** When this instance last asked for each. */
  readonly #asked = new Map<string, number>();

  constructor(db: Knex) {
    this.#db = db;
  }

  /**
   * Takes a scan, unless another instance is at it or was within the last `every` milliseconds. Returns how far it has
   * come: at the very first time, the epoch.
   */
  async take(name: string, now: number, every: number): Promise<Date | undefined> {
    const asked = this.#asked.get(name);
    if (asked !== undefined && now - asked < Math.min(every, ASK_EVERY)) return undefined;
    this.#asked.set(name, now);
    await this.#db('webhook_scans')
      .insert({ name, position: new Date(0) })
      .onConflict('name')
      .ignore();
    const [taken] = await this.#db('webhook_scans')
      .where({ name })
      .where('position', '<=', new Date(now - every))
      .where((free) => void free.whereNull('taken_until').orWhere('taken_until', '<', new Date(now)))
      .update({ taken_until: new Date(now + TAKEN_FOR) })
      .returning<{ position: Date }[]>('position');
    return taken?.position;
  }

  /** Notes how far it has come, and goes on. */
  async advance(name: string, position: Date, now: number): Promise<void> {
    await this.#db('webhook_scans')
      .where({ name })
      .update({ position, taken_until: new Date(now + TAKEN_FOR) });
  }

  async done(name: string, position: Date): Promise<void> {
    await this.#db('webhook_scans').where({ name }).update({ position, taken_until: null });
  }
}
