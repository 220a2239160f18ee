import { AddressPolicy } from './address-policy.ts';
import { Deliverer, type DeliveryReport } from './deliverer.ts';
import { Deliveries, type Delivery } from './deliveries.ts';
import { Endpoints, type EndpointsOptions } from './endpoints.ts';
import { ALL_EVENTS, type EventType } from './event-types.ts';
import { ExpiryScan } from './expiry.ts';
import type { ReadLicense } from './license-view.ts';
import { Outbox } from './outbox.ts';
import { DeliveryQueue } from './queue.ts';
import { deleteOld } from './retention.ts';
import { Scans } from './scans.ts';
import { UsageWatch } from './usage-watch.ts';

/** How often the queue is looked at: the first attempt comes about as soon. Milliseconds. */
const ROUND_EVERY = 1_000;
/** How often what is old is looked for, and the longest wait is measured. Milliseconds. */
const TIDY_EVERY = 600_000;
const MEASURE_EVERY = 15_000;

/** Told how everything goes. */
export interface WebhookReport extends DeliveryReport {
  succeeded(): void;
  /** How long the oldest delivery that waits has waited, in seconds. */
  waited(seconds: number): void;
}

interface Options<By> extends Pick<EndpointsOptions<By>, 'db' | 'clock' | 'box' | 'record'> {
  allowedHosts: readonly string[];
  readLicense: ReadLicense;
  userAgent: string;
  report: WebhookReport;
}

/** An endpoint that is enabled, and what it asks for. */
interface Active {
  id: string;
  events: string[];
  created_at: Date;
}

/**
 * Webhooks: everything around them, and the rounds in which they are found and sent.
 * @template By who changes endpoints
 */
export class Webhooks<By> {
  readonly endpoints: Endpoints<By>;
  readonly deliveries: Deliveries;
  readonly outbox: Outbox;
  readonly usage: UsageWatch;
  readonly #options: Options<By>;
  readonly #queue: DeliveryQueue;
  readonly #deliverer: Deliverer;
  readonly #expiry: ExpiryScan;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #closed = false;
  #measuredAt = -Infinity;
  #tidiedAt = performance.now();

  constructor(options: Options<By>) {
    const { db, clock, box, record, readLicense, userAgent, report } = options;
    this.#options = options;
    const policy = new AddressPolicy(options.allowedHosts);
    const scans = new Scans(db);
    this.outbox = new Outbox(clock);
    this.endpoints = new Endpoints({ db, clock, policy, box, record });
    this.deliveries = new Deliveries(db, clock);
    this.usage = new UsageWatch({ db, clock, outbox: this.outbox, scans, readLicense });
    this.#expiry = new ExpiryScan({ db, clock, outbox: this.outbox, scans, readLicense });
    this.#queue = new DeliveryQueue(db);
    const parts = { queue: this.#queue, endpoints: this.endpoints, policy, clock, userAgent, report };
    this.#deliverer = new Deliverer({ ...parts, wake: () => this.#schedule(0) });
    this.#schedule(ROUND_EVERY);
  }

  /** Sends a test event to one endpoint, in the next round. */
  async sendTest(endpointId: string): Promise<Delivery> {
    const delivery = await this.deliveries.find(await this.outbox.addTest(this.#options.db, endpointId));
    if (delivery === undefined) throw new Error('the test was not stored');
    return delivery;
  }

  /**
   * Ends the rounds; attempts that are under way may end in the given time.
   * @throws nothing: what is left is in the database
   */
  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.usage.flush().catch((error: unknown) => this.#options.report.failed(error));
    await this.#deliverer.stop(withinMs);
  }

  #schedule(inMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // One at a time: what wakes it in its midst makes another follow.
      if (this.#round !== undefined) return;
      this.#round = this.#runRound().finally(() => {
        this.#round = undefined;
        this.#schedule(ROUND_EVERY);
      });
    }, inMs);
  }

  async #runRound(): Promise<void> {
    const { report } = this.#options;
    try {
      const active = await this.#active();
      await this.#deliverer.round(active.map(({ id }) => id));
      await this.#find(active);
      await this.#tidy();
      report.succeeded();
    } catch (error) {
      report.failed(error);
    }
  }

  #active(): Promise<Active[]> {
    return this.#options
      .db('webhook_endpoints')
      .where({ enabled: true })
      .orderBy('id')
      .select<Active[]>('id', 'events', 'created_at');
  }

  /** What comes by the passing of time and of requests. Nothing is looked for that nobody asks for. */
  async #find(active: Active[]): Promise<void> {
    for (const kind of ['license.expired', 'license.expiring'] as const) {
      const since = askedSince(active, kind);
      if (since !== undefined) await this.#expiry.run(kind, since);
    }
    this.usage.isAsked = askedSince(active, 'usage.threshold') !== undefined;
    if (!this.usage.isAsked) return;
    await this.usage.flush();
    await this.usage.sweep();
  }

  async #tidy(): Promise<void> {
    const { db, clock, report } = this.#options;
    const now = performance.now();
    if (now - this.#measuredAt > MEASURE_EVERY) {
      const oldest = await this.#queue.oldestPending();
      report.waited(oldest === undefined ? 0 : Math.max(0, clock.now() - oldest.getTime()) / 1_000);
      this.#measuredAt = now;
    }
    if (now - this.#tidiedAt < TIDY_EVERY) return;
    const isMore = await deleteOld(db, clock.now());
    if (!isMore) this.#tidiedAt = now;
  }
}

/** When the first of the endpoints that ask for a type was made; undefined where none does. */
function askedSince(active: Active[], type: EventType): Date | undefined {
  const asking = active.filter(({ events }) => events.includes(ALL_EVENTS) || events.includes(type));
  return asking.length === 0
    ? undefined
    : new Date(Math.min(...asking.map(({ created_at: at }) => at.getTime())));
}
