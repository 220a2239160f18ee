import type { Knex } from 'knex';
import type { SealedColumn } from '../stores/sealed-columns.ts';
import { SecretUnreadable, type SecretBox } from '../stores/secret-box.ts';
import { fingerprintOf, type KeyInForce } from './provider-keys.ts';
import type { Provider } from './providers.ts';

export type ProviderName = Provider['name'];

/** Whatever was announced, the table is read again this often: it has two rows at most. Milliseconds. */
const READ_EVERY = 5_000;
/** A reading that failed is repeated this soon. Milliseconds. */
const READ_AGAIN = 500;

interface StoredKeyRow {
  provider: ProviderName;
  sealed: Uint8Array;
  fingerprint: string;
  set_at: Date;
}

/** How instances tell each other that a key was set or removed. */
export interface KeyNews {
  announce(): Promise<void>;
  /** Also told when announcements may have been missed. */
  onNews(listener: () => void): void;
}

interface Options {
  db: Knex;
  /** Undefined without MASTER_KEY: then nothing can be stored, nor may anything be. */
  box: SecretBox | undefined;
  news: KeyNews;
  now: () => number;
  /** Told of each key that was taken over, or given up (undefined). */
  changed: (provider: ProviderName, key: KeyInForce | undefined) => void;
  /** Told of each reading that failed, and of each that did not. What was in force before stays so. */
  report: { failed(error: unknown): void; succeeded(): void };
}

export const sealedProviderKeys: SealedColumn = {
  table: 'provider_keys',
  key: 'provider',
  column: 'sealed',
  context: (provider) => `provider:${provider}`,
};

/**
 * The providers' keys that an administrator stored, kept in memory and read again when they change. A change that is
 * announced is in force on every instance within a second; one whose announcement was lost, within READ_EVERY.
 */
export class StoredKeys {
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  #keys = new Map<ProviderName, KeyInForce>();
  #reading: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#refresh(), READ_EVERY).unref();
    options.news.onNews(() => void this.#refresh());
  }

  /**
   * @throws SecretUnreadable where a key is stored that cannot be read. It was meant to be used, so the one that it
   * replaced is not used silently in its place.
   */
  static async open(options: Options): Promise<StoredKeys> {
    const keys = new StoredKeys(options);
    try {
      await keys.#read();
      return keys;
    } catch (error) {
      keys.close();
      throw error;
    }
  }

  /** Whether there is a master key to store keys under. */
  get canStore(): boolean {
    return this.#options.box !== undefined;
  }

  get(provider: ProviderName): KeyInForce | undefined {
    return this.#keys.get(provider);
  }

  /**
   * Stores a key, in place of the one before. Here it is in force on return, elsewhere within a second.
   * @param record is called within the transaction, with the fingerprint of the key before
   * @throws if there is no master key: `canStore` says so
   */
  async set(
    provider: ProviderName,
    key: string,
    record?: (db: Knex.Transaction, before: string | undefined, after: string) => Promise<void>,
  ): Promise<void> {
    const { db, box, now } = this.#options;
    if (box === undefined) throw new Error('there is no MASTER_KEY to store a key under');
    const row = {
      provider,
      sealed: box.seal(key, sealedProviderKeys.context(provider)),
      fingerprint: fingerprintOf(key),
      set_at: new Date(now()),
    };
    await db.transaction(async (trx) => {
      const before = await fingerprintIn(trx, provider);
      await trx<StoredKeyRow>('provider_keys').insert(row).onConflict('provider').merge();
      await record?.(trx, before, row.fingerprint);
    });
    await this.#changedHere();
  }

  /** Back to the settings' key. Returns whether there was a stored one. */
  async remove(
    provider: ProviderName,
    record?: (db: Knex.Transaction, before: string) => Promise<void>,
  ): Promise<boolean> {
    const removed = await this.#options.db.transaction(async (trx) => {
      const before = await fingerprintIn(trx, provider);
      if (before === undefined) return false;
      await trx<StoredKeyRow>('provider_keys').where({ provider }).delete();
      await record?.(trx, before);
      return true;
    });
    if (removed) await this.#changedHere();
    return removed;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#again);
  }

  async #changedHere(): Promise<void> {
    await this.#refresh();
    await this.#options.news.announce();
  }

  /** Resolves when what is stored now is in force. Never rejects: what fails is repeated. */
  #refresh(): Promise<void> {
    // A reading that is under way may have begun before the change.
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      this.#reading = this.#tryToRead();
      return this.#reading;
    });
    return this.#next;
  }

  async #tryToRead(): Promise<void> {
    try {
      await this.#read();
      this.#options.report.succeeded();
    } catch (error) {
      if (this.#closed) return;
      this.#options.report.failed(error);
      clearTimeout(this.#again);
      this.#again = setTimeout(() => void this.#refresh(), READ_AGAIN).unref();
    }
  }

  /** @throws SecretUnreadable where a key cannot be read: that one stays as it is, the others are taken over */
  async #read(): Promise<void> {
    const { db, box, changed } = this.#options;
    const rows = await db<StoredKeyRow>('provider_keys').select();
    const before = this.#keys;
    const keys = new Map<ProviderName, KeyInForce>();
    let unreadable: SecretUnreadable | undefined;
    for (const row of rows) {
      try {
        keys.set(row.provider, openRow(row, box));
      } catch (error) {
        if (!(error instanceof SecretUnreadable)) throw error;
        unreadable = error;
        const last = before.get(row.provider);
        if (last !== undefined) keys.set(row.provider, last);
      }
    }
    this.#keys = keys;
    for (const provider of new Set([...before.keys(), ...keys.keys()])) {
      const key = keys.get(provider);
      if (key?.value !== before.get(provider)?.value) changed(provider, key);
    }
    if (unreadable !== undefined) throw unreadable;
  }
}

function openRow(
  { provider, sealed, fingerprint, set_at: setAt }: StoredKeyRow,
  box: SecretBox | undefined,
): KeyInForce {
  const context = sealedProviderKeys.context(provider);
  if (box === undefined) {
    throw new SecretUnreadable(
      `${context} was stored through the admin API, and MASTER_KEY is not set: set it to the master key that it was stored under`,
    );
  }
  return { value: box.open(sealed, context), fingerprint, source: 'admin', since: setAt.getTime() };
}

async function fingerprintIn(trx: Knex.Transaction, provider: ProviderName): Promise<string | undefined> {
  const row = await trx<StoredKeyRow>('provider_keys').where({ provider }).forUpdate().first('fingerprint');
  return row?.fingerprint;
}
