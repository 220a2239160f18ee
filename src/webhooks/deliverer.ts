import type { Clock } from '../clock.ts';
import type { AddressPolicy } from './address-policy.ts';
import type { Endpoints } from './endpoints.ts';
import { GONE, type DeliveryQueue, type DueDelivery } from './queue.ts';
import { send, type Attempt } from './send.ts';
import { signedHeaders } from './signature.ts';

/** Attempts under way at once: of this instance, to one endpoint, and to one whose last attempt failed. */
const MOST = 64;
const MOST_OF_ONE = 5;
const MOST_OF_A_FAILING_ONE = 1;

export type AttemptOutcome = 'delivered' | 'failed' | 'cut_off';

/** Told what became of each attempt. */
export interface DeliveryReport {
  attempted(outcome: AttemptOutcome): void;
  /** The attempt was made and could not be noted, or not even begun: it will be made again. */
  failed(error: unknown): void;
}

interface Options {
  queue: DeliveryQueue;
  endpoints: Pick<Endpoints<never>, 'secretsOf'>;
  policy: AddressPolicy;
  clock: Clock;
  userAgent: string;
  report: DeliveryReport;
  /** More may be due: called when an attempt has made room. */
  wake: () => void;
}

/** What an endpoint has under way, and how it fares. */
interface Lane {
  underWay: number;
  failing: boolean;
  /** The last round took all that there was room for. */
  full: boolean;
}

/** Makes the attempts. Each endpoint has room of its own, so that one that answers slowly delays no other. */
export class Deliverer {
  readonly #options: Options;
  readonly #lanes = new Map<string, Lane>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #turn = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Takes what is due and there is room for; attempts go on when this has resolved. @throws the database's error */
  async round(endpointIds: readonly string[]): Promise<void> {
    const room = this.#room(endpointIds);
    if (room.length === 0 || this.#stop.signal.aborted) return;
    const due = await this.#options.queue.take(room, this.#options.clock.now());
    for (const { endpoint_id: id, free } of room) {
      const taken = due.filter((delivery) => delivery.endpoint_id === id).length;
      this.#lane(id).full = taken === free;
    }
    for (const delivery of due) this.#start(delivery);
  }

  /** Waits for what is under way, as long as it may take, then cuts it off; that is made again by another instance. */
  async stop(withinMs: number): Promise<void> {
    const cut = setTimeout(() => this.#stop.abort(), withinMs);
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    clearTimeout(cut);
    this.#stop.abort();
  }

  #room(endpointIds: readonly string[]): { endpoint_id: string; free: number }[] {
    for (const [id, { underWay }] of this.#lanes)
      if (underWay === 0 && !endpointIds.includes(id)) this.#lanes.delete(id);
    let left = MOST - this.#underWay.size;
    // Where there is not room for all, another one is the first each time.
    this.#turn += 1;
    const start = this.#turn % Math.max(1, endpointIds.length);
    const inTurn = [...endpointIds.slice(start), ...endpointIds.slice(0, start)];
    return inTurn.flatMap((id) => {
      const { underWay, failing } = this.#lane(id);
      const free = Math.min(left, (failing ? MOST_OF_A_FAILING_ONE : MOST_OF_ONE) - underWay);
      if (free <= 0) return [];
      left -= free;
      return [{ endpoint_id: id, free }];
    });
  }

  #lane(id: string): Lane {
    let lane = this.#lanes.get(id);
    if (lane === undefined) this.#lanes.set(id, (lane = { underWay: 0, failing: false, full: false }));
    return lane;
  }

  #start(delivery: DueDelivery): void {
    const lane = this.#lane(delivery.endpoint_id);
    lane.underWay += 1;
    const attempt = this.#attempt(delivery, lane)
      .catch((error: unknown) => this.#options.report.failed(error))
      .finally(() => {
        lane.underWay -= 1;
        this.#underWay.delete(attempt);
        if (lane.full) this.#options.wake();
      });
    this.#underWay.add(attempt);
  }

  async #attempt(delivery: DueDelivery, lane: Lane): Promise<void> {
    const { queue, clock, report } = this.#options;
    const attempt = await this.#send(delivery);
    lane.failing = !attempt.delivered;
    report.attempted(outcomeOf(attempt));
    await queue.note(delivery, attempt, clock.now());
    if (attempt.status === GONE)
      await queue.disable(delivery.endpoint_id, 'It answered that it is gone (410)', clock.now());
  }

  async #send(delivery: DueDelivery): Promise<Attempt> {
    const { endpoints, policy, clock, userAgent } = this.#options;
    let secrets: string[];
    try {
      secrets = endpoints.secretsOf({ ...delivery, id: delivery.endpoint_id });
    } catch (error) {
      // The master key is missing, or another: nothing is sent that could not be verified.
      return { delivered: false, error: `Not signed: ${error instanceof Error ? error.message : ''}` };
    }
    const { event_id: id, payload } = delivery;
    const headers = { 'user-agent': userAgent, ...signedHeaders(secrets, { id, payload, now: clock.now() }) };
    return send(delivery.url, { headers, body: payload, policy, signal: this.#stop.signal });
  }
}

function outcomeOf({ delivered, aborted }: Attempt): AttemptOutcome {
  if (aborted === true) return 'cut_off';
  return delivered ? 'delivered' : 'failed';
}
