import { Registry, type OpenMetricsContentType } from 'prom-client';
import type { Exemplars } from './histogram.ts';

type Metric = Parameters<Registry['registerMetric']>[0];

/** Its types know this constructor no argument. */
const OpenMetricsRegistry = Registry as unknown as new (
  contentType: OpenMetricsContentType,
) => Registry<OpenMetricsContentType>;

/** Writes a registry's metrics as the scraper asks for them. */
export class Exposition {
  readonly #registry: Registry;
  readonly #exemplars: Exemplars;

  constructor(registry: Registry, exemplars: Exemplars) {
    this.#registry = registry;
    this.#exemplars = exemplars;
  }

  /** @param accept the scraper's Accept header; Prometheus puts OpenMetrics first, most others want plain text */
  async write(accept = ''): Promise<{ contentType: string; text: string }> {
    if (!accept.includes('application/openmetrics-text')) {
      return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
    }
    this.#exemplars.wanted = true;
    const open = new OpenMetricsRegistry(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const metric of this.#registry.getMetricsAsArray()) open.registerMetric(inOpenMetrics(metric));
    return { contentType: open.contentType, text: await open.metrics() };
  }
}

/**
 * In OpenMetrics a counter is named without its suffix, and its samples with it. prom-client would rename the metric
 * itself, and so break the next scrape in plain text: it gets a stand-in.
 */
function inOpenMetrics(metric: object): Metric {
  const { name, type, get } = metric as { name: string; type: unknown; get: () => Promise<object> };
  const family = type === 'counter' ? name.replace(/_total$/, '') : name;
  return {
    name: family,
    type,
    get: async () => ({ ...(await get.call(metric)), name: family }),
  } as unknown as Metric;
}
