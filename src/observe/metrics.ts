import { Registry } from 'prom-client';
import { BusinessMetrics } from './metrics/business.ts';
import { CountingMetrics } from './metrics/counting.ts';
import { Exposition } from './metrics/exposition.ts';
import type { Exemplars } from './metrics/histogram.ts';
import { addProcessMetrics } from './metrics/process.ts';
import { ProviderMetrics } from './metrics/providers.ts';
import { RequestMetrics } from './metrics/requests.ts';
import { SessionMetrics } from './metrics/sessions.ts';
import { StoreMetrics } from './metrics/stores.ts';
import { WebhookMetrics } from './metrics/webhooks.ts';
import { SurroundingsMetrics } from './metrics/surroundings.ts';

export type { AdmissionOutcome, EndedCall, EndedRequest } from './metrics/requests.ts';

/**
 * All of a gateway's metrics, in a registry of its own so that several gateways fit in one process. docs/metrics.md
 * describes each. No label holds a license, a key, a device, or anything else that a client can make up.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly requests: RequestMetrics;
  readonly stores: StoreMetrics;
  readonly counting: CountingMetrics;
  readonly sessions: SessionMetrics;
  readonly webhooks: WebhookMetrics;
  readonly providers: ProviderMetrics;
  readonly business: BusinessMetrics;
  readonly surroundings: SurroundingsMetrics;
  readonly exposition: Exposition;

  /** @param open the requests under way, asked at each scrape */
  constructor(version: string, open: () => Iterable<{ stream: boolean }>) {
    const exemplars: Exemplars = { wanted: false };
    this.requests = new RequestMetrics(this.registry, exemplars, open);
    this.counting = new CountingMetrics(this.registry);
    this.sessions = new SessionMetrics(this.registry, exemplars);
    this.providers = new ProviderMetrics(this.registry);
    this.business = new BusinessMetrics(this.registry);
    this.stores = new StoreMetrics(this.registry, exemplars);
    this.webhooks = new WebhookMetrics(this.registry);
    this.surroundings = new SurroundingsMetrics(this.registry);
    addProcessMetrics(this.registry, version);
    this.exposition = new Exposition(this.registry, exemplars);
  }
}
