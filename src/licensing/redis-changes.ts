import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { Changes } from './changes.ts';

/**
 * Announcements over Redis pub/sub. Redis does not keep a message for a subscriber that is away, so each new
 * subscription counts as a gap.
 */
export class RedisChanges implements Changes {
  readonly #events = new EventEmitter<{ change: [string]; gap: [] }>();
  readonly #publisher: Redis;
  readonly #channel: string;
  #live = false;

  /** @param subscriber a connection of its own: a subscribed one takes no other commands */
  constructor(publisher: Redis, subscriber: Redis, prefix: string) {
    this.#publisher = publisher;
    this.#channel = `${prefix}:changes`;
    subscriber.on('message', (_channel: string, licenseId: string) => this.#events.emit('change', licenseId));
    subscriber.on('close', () => (this.#live = false));
    // ioredis would subscribe again by itself, but would not say when: we need to know from where on nothing is missed.
    subscriber.on('ready', () => void this.#subscribe(subscriber));
    if (subscriber.status === 'ready') void this.#subscribe(subscriber);
  }

  get live(): boolean {
    return this.#live;
  }

  /** This instance acts at once, whether or not Redis can carry the news to the others. */
  async announce(licenseId: string): Promise<void> {
    this.#events.emit('change', licenseId);
    await this.#publisher.publish(this.#channel, licenseId);
  }

  onChange(listener: (licenseId: string) => void): void {
    this.#events.on('change', listener);
  }

  onGap(listener: () => void): void {
    this.#events.on('gap', listener);
  }

  async #subscribe(subscriber: Redis): Promise<void> {
    try {
      await subscriber.subscribe(this.#channel);
      this.#live = true;
      this.#events.emit('gap');
    } catch {
      // The connection broke again; its next 'ready' comes back here.
    }
  }
}
