import { isIP } from 'node:net';
import { connect } from 'node:tls';

/** Milliseconds. */
const LOOK_EVERY = 3_600_000;
const LOOK_AGAIN_AFTER = 60_000;
const CONNECT_LIMIT = 10_000;

/**
 * The certificate that clients see at an `https:` URL, looked at once at the start and then every hour. Whether it is to
 * be trusted is not asked here: it is about when it ends, and it is said of one that has ended, too.
 */
export class PublicCertificate {
  readonly host: string;
  readonly #port: number;
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #expiresAt: number | undefined;

  /** @param failed told when nobody shows a certificate there; it is tried again after a minute */
  constructor({ hostname, port }: URL, failed: (error: unknown) => void) {
    // Brackets of an IPv6 address belong to URLs alone.
    this.host = hostname.replace(/^\[(.*)\]$/, '$1');
    this.#port = Number(port || '443');
    this.#failed = failed;
    void this.#look();
  }

  /** When it ends, milliseconds since the epoch; undefined until it was seen. */
  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    let next = LOOK_EVERY;
    try {
      this.#expiresAt = await this.#readExpiry();
    } catch (error) {
      next = LOOK_AGAIN_AFTER;
      if (!this.#closed) this.#failed(error);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), next).unref();
  }

  #readExpiry(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const options = { host: this.host, port: this.#port, rejectUnauthorized: false };
    const servername = isIP(this.host) === 0 ? { servername: this.host } : {};
    const socket = connect({ ...options, ...servername }, () => {
      resolve(Date.parse(socket.getPeerCertificate().valid_to));
      socket.end();
    });
    socket.unref();
    socket.setTimeout(CONNECT_LIMIT, () => socket.destroy(new Error('no answer in time')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    return promise;
  }
}
