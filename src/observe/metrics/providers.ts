import type { Registry } from 'prom-client';
import { ReadFamily } from './families.ts';

/** Which real key is used; that a provider refuses it is among the requests' own metrics. */
export class ProviderMetrics {
  readonly #keys;

  constructor(registry: Registry) {
    this.#keys = new ReadFamily(registry, {
      name: 'licensify_provider_key_info',
      help: 'Always 1; the labels say which real key is used for a provider, and where it comes from',
      labels: ['provider', 'fingerprint', 'source'],
      type: 'gauge',
    });
  }

  /** @param keys the keys in force, asked at each scrape */
  watch(keys: () => { provider: string; fingerprint: string; source: string }[]): void {
    this.#keys.from(() =>
      keys().map(({ provider, fingerprint, source }) => [provider, fingerprint, source, 1]),
    );
  }
}
