import type { Registry } from 'prom-client';
import { CounterFamily, ReadFamily } from './families.ts';

/** Webhooks. No label holds an endpoint. */
export class WebhookMetrics {
  readonly #attempts;
  #waited = 0;

  constructor(registry: Registry) {
    this.#attempts = new CounterFamily(registry, {
      name: 'licensify_webhook_attempts_total',
      help: 'Attempts to deliver a webhook: delivered, failed, or cut off by the end of the gateway',
      labels: ['outcome'],
    });
    for (const outcome of ['delivered', 'failed', 'cut_off']) this.#attempts.of(outcome);
    const wait = new ReadFamily(registry, {
      name: 'licensify_webhook_oldest_pending_seconds',
      help: 'Age of the oldest webhook that waits to be delivered, in the whole installation; 0: none waits',
      labels: [],
      type: 'gauge',
    });
    wait.from(() => [[this.#waited]]);
  }

  attempted(outcome: 'delivered' | 'failed' | 'cut_off'): void {
    this.#attempts.of(outcome).add();
  }

  waited(seconds: number): void {
    this.#waited = seconds;
  }
}
