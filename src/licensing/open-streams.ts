import type { Changes } from './changes.ts';
import type { Session, Sessions } from './sessions.ts';

/** While announcements do not arrive, open streams are reviewed this often; the contract's bound is 30 s. Milliseconds. */
const REVIEW_WITHOUT_NEWS = 5_000;

/** A review that failed, since the database was away, is repeated this soon. Milliseconds. */
const REVIEW_AGAIN = 1_000;

/** Something that runs on a session's behalf and can be ended from outside. */
interface OpenStream {
  session: Session;
  cut: () => void;
}

/**
 * The requests under way by license, so that revoking a license, a device or a key ends them: on every instance, since
 * every instance hears of the change.
 */
export class OpenStreams {
  readonly #sessions: Sessions;
  readonly #onCut: ((announcedAt: number) => void) | undefined;
  readonly #byLicense = new Map<string, Set<OpenStream>>();
  readonly #timer: NodeJS.Timeout;
  /** Licenses whose change could not be looked at yet. */
  readonly #unreviewed = new Map<string, number | undefined>();
  #again: NodeJS.Timeout | undefined;

  /** @param onCut told of each that a change has ended, and when that was announced (milliseconds since the epoch) */
  constructor(sessions: Sessions, changes: Changes, onCut?: (announcedAt: number) => void) {
    this.#sessions = sessions;
    this.#onCut = onCut;
    changes.onChange((licenseId, announcedAt) => void this.#review(licenseId, announcedAt));
    changes.onGap(() => this.#reviewAll());
    this.#timer = setInterval(() => {
      if (!changes.live) this.#reviewAll();
    }, REVIEW_WITHOUT_NEWS);
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#again);
  }

  /** Watches a request until the returned function is called. `cut` is called at most once. */
  watch(session: Session, cut: () => void): () => void {
    const { id } = session.license;
    const stream = { session, cut };
    const streams = this.#byLicense.get(id) ?? new Set();
    this.#byLicense.set(id, streams.add(stream));
    return () => {
      streams.delete(stream);
      if (streams.size === 0 && this.#byLicense.get(id) === streams) this.#byLicense.delete(id);
    };
  }

  #reviewAll(): void {
    for (const licenseId of this.#byLicense.keys()) void this.#review(licenseId);
  }

  /** @param announcedAt when a change was announced; undefined: this is a look for what may have been missed */
  async #review(licenseId: string, announcedAt?: number): Promise<void> {
    for (const stream of [...(this.#byLicense.get(licenseId) ?? [])]) {
      const now = await this.#sessions.recheck(stream.session).catch(() => 'unknown' as const);
      if (now === 'unknown') this.#reviewLater(licenseId, announcedAt);
      else if ((!now.known || now.status === 'suspended') && this.#byLicense.get(licenseId)?.delete(stream)) {
        stream.cut();
        if (announcedAt !== undefined) this.#onCut?.(announcedAt);
      }
    }
  }

  /** While the database is away nobody can tell; what was announced is not announced again. */
  #reviewLater(licenseId: string, announcedAt: number | undefined): void {
    this.#unreviewed.set(licenseId, announcedAt ?? this.#unreviewed.get(licenseId));
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      const again = [...this.#unreviewed];
      this.#unreviewed.clear();
      for (const [id, since] of again) void this.#review(id, since);
    }, REVIEW_AGAIN);
  }
}
