import { EventEmitter } from 'node:events';

/**
 * Tells every instance that something about a license changed (its status, limits, devices or keys), so that cached
 * sessions are read again and open streams that are no longer allowed are cut.
 */
export interface Changes {
  /**
   * To all instances, this one included, which acts at once. Never rejects: what cannot be sent now is sent as soon as
   * it can be, since what it tells of has happened already.
   */
  announce(licenseId: string): Promise<void>;
  /** `announcedAt`: milliseconds since the epoch, by the clock of the machine that announced it. */
  onChange(listener: (licenseId: string, announcedAt: number) => void): void;
  /** Told when announcements may have been missed: whatever is cached must be read again. */
  onGap(listener: () => void): void;
  /** Whether announcements of other instances arrive at present. */
  readonly live: boolean;
  close(): void;
}

/** For a gateway that runs alone. */
export class LocalChanges implements Changes {
  readonly #events = new EventEmitter<{ change: [licenseId: string, announcedAt: number] }>();
  readonly live = true;

  announce(licenseId: string): Promise<void> {
    this.#events.emit('change', licenseId, Date.now());
    return Promise.resolve();
  }

  onChange(listener: (licenseId: string, announcedAt: number) => void): void {
    this.#events.on('change', listener);
  }

  onGap(): void {
    // Nothing lies between the two ends of a function call.
  }

  close(): void {
    this.#events.removeAllListeners();
  }
}
