import { buildConnector } from 'undici';
import { Line, type LineOwner } from './line.ts';
import { CONNECT_TIMEOUT, MOST_IDLE } from './passage.ts';

/** How often connections that nobody needs are looked for. Milliseconds. */
const SWEEP_EVERY = 1_000;

/** The lines to one provider. No bound on their number: behind a full pool, requests would wait for those of others. */
export class Lines implements LineOwner {
  readonly timeoutMs: number;
  readonly #options: buildConnector.Options;
  readonly #connect: buildConnector.connector;
  readonly #all = new Set<Line>();
  /** The one used last is used next, so that those that are not needed age and go. */
  #idle: Line[] = [];
  /** Those that are to write once everything that has come has been read. */
  #writing: Line[] = [];
  #sweep: NodeJS.Timeout | undefined;

  /** @param timeoutMs the longest silence of a provider: before its head, and between two pieces */
  constructor(base: URL, timeoutMs: number) {
    const { protocol, host, hostname, port } = base;
    this.#options = { protocol, host, port, hostname: hostname.replace(/^\[(.*)\]$/, '$1') };
    this.timeoutMs = timeoutMs;
    this.#connect = buildConnector({ timeout: Math.min(timeoutMs, CONNECT_TIMEOUT), allowH2: false });
  }

  /** A line that nobody uses; a new one connects when it sends. */
  take(): Line {
    const now = performance.now();
    for (let line = this.#idle.pop(); line !== undefined; line = this.#idle.pop()) {
      if (line.usableUntil > now) return line;
      line.destroy();
    }
    const line = new Line(this);
    this.#all.add(line);
    return line;
  }

  connect(connected: buildConnector.Callback): void {
    this.#connect(this.#options, connected);
  }

  /**
   * What has come while nobody read it (bytes that nobody has asked for, the end of the connection) must be seen before a
   * request is written, or a customer gets what was meant for nobody (undici's advisory GHSA-35p6-xmwp-9g52). All that had
   * come by now has been read once the event loop has polled from beginning to end, which it does between one immediate
   * and the next. They are the same two for all lines of a turn.
   */
  whenRead(line: Line): void {
    this.#writing.push(line);
    if (this.#writing.length > 1) return;
    setImmediate(() => {
      const writing = this.#writing;
      this.#writing = [];
      setImmediate(() => {
        for (const one of writing) one.write();
      });
    });
  }

  /** It may be used again. */
  free(line: Line): void {
    if (this.#idle.length >= MOST_IDLE) return line.destroy();
    this.#idle.push(line);
    this.#sweep ??= setInterval(() => this.#sweepIdle(), SWEEP_EVERY).unref();
  }

  gone(line: Line): void {
    if (!this.#all.delete(line)) return;
    const at = this.#idle.indexOf(line);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  close(): void {
    for (const line of [...this.#all]) line.close();
    this.#idle = [];
    clearInterval(this.#sweep);
  }

  #sweepIdle(): void {
    const now = performance.now();
    for (const line of this.#idle.filter(({ usableUntil }) => usableUntil <= now)) line.destroy();
    if (this.#idle.length > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
