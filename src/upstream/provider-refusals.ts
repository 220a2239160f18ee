import type { Knex } from 'knex';
import type { ProviderName } from './stored-keys.ts';

/** A refusal is written down this often at most, for each key: they come by the hundred. Milliseconds. */
const WRITE_EVERY = 5_000;

interface RefusalRow {
  provider: ProviderName;
  fingerprint: string;
  refused_at: Date;
}

/** Remembers when a provider last refused a key, for whoever looks at the providers, at whichever instance. */
export class ProviderRefusals {
  readonly #db: Knex;
  readonly #now: () => number;
  readonly #writtenAt = new Map<string, number>();

  constructor(db: Knex, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Never rejects: it is a note beside a request that failed anyway. */
  async note(provider: ProviderName, fingerprint: string): Promise<void> {
    const now = this.#now();
    const name = `${provider} ${fingerprint}`;
    if (now - (this.#writtenAt.get(name) ?? -Infinity) < WRITE_EVERY) return;
    this.#writtenAt.set(name, now);
    try {
      await this.#db<RefusalRow>('provider_refusals')
        .insert({ provider, fingerprint, refused_at: new Date(now) })
        .onConflict(['provider', 'fingerprint'])
        .merge();
    } catch {
      this.#writtenAt.delete(name);
    }
  }

  async lastOf(provider: ProviderName, fingerprint: string): Promise<Date | undefined> {
    const row = await this.#db<RefusalRow>('provider_refusals').where({ provider, fingerprint }).first();
    return row?.refused_at;
  }
}
