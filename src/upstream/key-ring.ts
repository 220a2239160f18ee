import { providers, type Provider } from './providers.ts';
import type { KeyInForce, ProviderKey } from './provider-keys.ts';
import type { ProviderRefusals } from './provider-refusals.ts';
import type { ProviderName, StoredKeys } from './stored-keys.ts';

/** A provider, and the key that is used for it. */
export interface ProviderState {
  provider: Provider;
  key: KeyInForce | undefined;
  /** The key that the settings give, if a stored one is used in its place. */
  replaced: KeyInForce | undefined;
  /** When the provider last refused the key that is used now. */
  refusedAt: Date | undefined;
}

/**
 * The real keys. One that was stored through the admin API wins over the settings', since it is what somebody decided
 * last, in a place where it is written down who.
 */
export class KeyRing {
  readonly stored: StoredKeys;
  readonly #configured: Readonly<Record<ProviderName, ProviderKey | undefined>>;
  readonly #refusals: ProviderRefusals;

  constructor(options: {
    configured: Readonly<Record<ProviderName, ProviderKey | undefined>>;
    stored: StoredKeys;
    refusals: ProviderRefusals;
  }) {
    this.#configured = options.configured;
    this.stored = options.stored;
    this.#refusals = options.refusals;
  }

  /** The key to use at this moment; it is asked for anew for each request. */
  get(provider: ProviderName): KeyInForce | undefined {
    return this.stored.get(provider) ?? this.#configured[provider]?.inForce;
  }

  /** A provider answered 401 to a request with this key. */
  refused(provider: ProviderName, { fingerprint }: KeyInForce): void {
    void this.#refusals.note(provider, fingerprint);
  }

  inForce(): { provider: ProviderName; key: KeyInForce }[] {
    return Object.values(providers).flatMap(({ name }) => {
      const key = this.get(name);
      return key === undefined ? [] : [{ provider: name, key }];
    });
  }

  states(): Promise<ProviderState[]> {
    return Promise.all(Object.values(providers).map((provider) => this.state(provider)));
  }

  async state(provider: Provider): Promise<ProviderState> {
    const key = this.get(provider.name);
    return {
      provider,
      key,
      replaced: key?.source === 'admin' ? this.#configured[provider.name]?.inForce : undefined,
      refusedAt: key && (await this.#refusals.lastOf(provider.name, key.fingerprint)),
    };
  }

  close(): void {
    this.stored.close();
    for (const key of Object.values(this.#configured)) key?.close();
  }
}
