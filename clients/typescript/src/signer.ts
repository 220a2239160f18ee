import type { KeptActivation } from './activation.ts';
import { LicensifyError } from './errors.ts';
import { encoded, messageHeaders, stampOf, timestampAt, type Stamp } from './signatures.ts';

/**
 * How requests are signed: as the tier asks (`auto`); never; always with the proxy key; or always with a key of the
 * device, which activation makes.
 */
export type Signing = (typeof signings)[number];

const signings = ['auto', 'none', 'hmac', 'ed25519'] as const;

/** Nearer than this to the server's time, a signature was not refused for its time: 300 seconds, less some travel. */
const SAME_TIME = 240_000;

/** A request as it is sent. */
export interface Unsigned {
  method: string;
  /** Path and query, as the gateway sees them. */
  target: string;
  body: Uint8Array<ArrayBuffer>;
}

/** Signs requests by what activation told, with the server's time. */
export class Signer {
  readonly mode: Signing;
  readonly #now: () => number;
  /** What the server's clock is ahead of ours, where that matters. Milliseconds. */
  offset = 0;

  /**
   * @param now milliseconds since 1970
   * @throws LicensifyError for a mode that is none
   */
  constructor(mode: Signing, now: () => number) {
    if (!signings.includes(mode)) {
      throw new LicensifyError(`signing takes ${signings.join(', ')}, not ${JSON.stringify(mode)}`, {
        code: 'invalid_signing',
      });
    }
    this.mode = mode;
    this.#now = now;
  }

  /** What a request with this key is signed with; undefined where with nothing. */
  kindFor({ private_key: key, signing }: KeptActivation): 'hmac' | 'ed25519' | undefined {
    if (this.mode === 'none') return undefined;
    // What is bound to a key of the device is refused without it, whatever else it is signed with.
    if (key !== undefined) return 'ed25519';
    return this.mode === 'hmac' || signing === 'hmac-sha256' ? 'hmac' : undefined;
  }

  /** The headers of a request in a provider's own form. */
  async headers(kept: KeptActivation, request: Unsigned): Promise<Record<string, string>> {
    if (this.kindFor(kept) !== 'hmac') return this.proof(kept, request);
    const [, , provider = ''] = request.target.split('/');
    const { timestamp, signature } = await this.#stamp(kept, provider, request.body);
    return { 'x-licensify-timestamp': timestamp, 'x-licensify-signature': signature };
  }

  /** The fields of an envelope. @param json the provider's request as it stands in the envelope */
  async fields(kept: KeptActivation, provider: string, json: string): Promise<Partial<Stamp>> {
    if (this.kindFor(kept) !== 'hmac') return {};
    // From its first character to its last, without the space that JSON allows around it.
    return this.#stamp(kept, provider, encoded(json.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')));
  }

  /** The headers that prove possession of the device's key. */
  async proof(kept: KeptActivation, request: Unsigned): Promise<Record<string, string>> {
    if (kept.private_key === undefined || this.kindFor(kept) !== 'ed25519') return {};
    return messageHeaders(kept.private_key, { ...request, created: Math.floor(this.#time() / 1_000) });
  }

  /**
   * Takes the server's time over, where a signature may have been refused because of ours.
   * @param used the offset that was signed with
   * @returns whether signing again makes a difference
   */
  correct(headers: Headers, used: number): boolean {
    const server = Date.parse(headers.get('date') ?? '');
    if (Number.isNaN(server) || Math.abs(server - (this.#now() + used)) < SAME_TIME) return false;
    this.offset = server - this.#now();
    return true;
  }

  #time(): number {
    return this.#now() + this.offset;
  }

  #stamp({ proxy_key: key }: KeptActivation, provider: string, body: Uint8Array): Promise<Stamp> {
    return stampOf(key, { timestamp: timestampAt(this.#time()), provider, body });
  }
}

/**
 * Path and query as the gateway sees them. What stands before `/proxy` is for a proxy in front of it, which has taken it
 * away.
 * @param base the gateway's URL, without a slash at its end
 */
export function targetOf(url: string, base: string): string {
  const { origin, href } = new URL(url);
  const [sent = ''] = href.slice(origin.length).split('#');
  return sent.slice(new URL(base).pathname.replace(/\/$/, '').length);
}
