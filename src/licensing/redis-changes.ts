import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { giveUp, type RedisClient } from '../stores/redis.ts';
import type { Changes } from './changes.ts';

/** How soon an announcement that did not get through is sent again. Milliseconds. */
const RETRY_EVERY = 500;
/** How often a subscription that hears nothing is asked whether it is alive. Milliseconds. */
const PING_EVERY = 2_000;

/**
 * Announcements over Redis pub/sub. Redis does not keep a message for a subscriber that is away, so each new
 * subscription counts as a gap.
 */
export class RedisChanges implements Changes {
  readonly #events = new EventEmitter<{
    change: [licenseId: string, announcedAt: number];
    gap: [];
  }>();
  readonly #publisher: RedisClient;
  readonly #ping: NodeJS.Timeout;
  readonly #channel: string;
  /** With the time at which each was to be announced. */
  readonly #unsent = new Map<string, number>();
  #retry: NodeJS.Timeout | undefined;
  #live = false;
  #closed = false;

  /** @param subscriber a connection of its own: a subscribed one takes no other commands */
  constructor(publisher: RedisClient, subscriber: Redis, prefix: string) {
    this.#publisher = publisher;
    this.#channel = `${prefix}:changes`;
    subscriber.on('message', (_channel: string, message: string) => {
      const [licenseId = '', announcedAt] = message.split(' ');
      this.#events.emit('change', licenseId, Number(announcedAt ?? Date.now()));
    });
    subscriber.on('close', () => (this.#live = false));
    // ioredis would subscribe again by itself, but would not say when: we need to know from where on nothing is missed.
    subscriber.on('ready', () => void this.#subscribe(subscriber));
    if (subscriber.status === 'ready') void this.#subscribe(subscriber);
    this.#ping = setInterval(() => void this.#check(subscriber), PING_EVERY);
  }

  get live(): boolean {
    return this.#live;
  }

  async announce(licenseId: string): Promise<void> {
    const announcedAt = Date.now();
    this.#events.emit('change', licenseId, announcedAt);
    await this.#publish(licenseId, announcedAt);
  }

  onChange(listener: (licenseId: string, announcedAt: number) => void): void {
    this.#events.on('change', listener);
  }

  onGap(listener: () => void): void {
    this.#events.on('gap', listener);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#retry);
    clearInterval(this.#ping);
    this.#events.removeAllListeners();
  }

  async #publish(licenseId: string, announcedAt: number): Promise<void> {
    try {
      await this.#publisher.publish(this.#channel, `${licenseId} ${announcedAt}`);
      this.#unsent.delete(licenseId);
    } catch {
      // What was under way fails when its connection is closed: a timer begun then would keep the process.
      if (this.#closed) return;
      this.#unsent.set(licenseId, announcedAt);
      this.#retry ??= setInterval(() => void this.#publishUnsent(), RETRY_EVERY);
    }
  }

  async #publishUnsent(): Promise<void> {
    for (const [licenseId, announcedAt] of [...this.#unsent]) await this.#publish(licenseId, announcedAt);
    if (this.#unsent.size > 0) return;
    clearInterval(this.#retry);
    this.#retry = undefined;
  }

  /** A Redis that hangs, or a network that drops packets, closes no connection: silence must not pass for no news. */
  async #check(subscriber: Redis): Promise<void> {
    if (!this.#live) return;
    try {
      await subscriber.ping();
    } catch {
      if (this.#closed) return;
      this.#live = false;
      giveUp(subscriber, 'Redis did not answer the subscriber');
    }
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
