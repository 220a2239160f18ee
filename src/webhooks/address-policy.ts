import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

const MAX_URL_LENGTH = 2_000;

/** Why a webhook may not go somewhere: a sentence for whoever set its URL. */
export class ForbiddenTarget extends Error {
  override readonly name = 'ForbiddenTarget';
}

/** All addresses of a host, as `dns.lookup` with `all` finds them. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/**
 * Where webhooks may go: over https to public addresses, and anywhere on the hosts that the operator lists. Whoever may
 * set a webhook's URL must not reach through it what only this machine can reach.
 */
export class AddressPolicy {
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #resolve: Resolve;

  /** @param allowedHosts host names and addresses as a URL shows them: private addresses and plain http are fine there */
  constructor(allowedHosts: readonly string[], resolve: Resolve = resolveBySystem) {
    this.#allowedHosts = new Set(allowedHosts.map((host) => host.toLowerCase()));
    this.#resolve = resolve;
  }

  /** What a URL itself tells; its host is not resolved. @throws ForbiddenTarget */
  checkUrl(text: string): URL {
    if (text.length > MAX_URL_LENGTH)
      throw new ForbiddenTarget(`is longer than ${MAX_URL_LENGTH} characters`);
    const url = URL.parse(text);
    if (url === null) throw new ForbiddenTarget('is no URL such as https://example.com/webhooks');
    const isListed = this.#allowedHosts.has(url.hostname);
    if (url.protocol !== 'https:' && !(isListed && url.protocol === 'http:'))
      throw new ForbiddenTarget(
        'must begin with https:// (plain http is for hosts in WEBHOOK_ALLOWED_HOSTS alone)',
      );
    if (url.username !== '' || url.password !== '')
      throw new ForbiddenTarget('must not hold a user name or password: the signature authenticates');
    if (url.hash !== '') throw new ForbiddenTarget('must not hold a fragment (#…), which is never sent');
    const literal = url.hostname.replace(/^\[(.*)\]$/, '$1');
    // The URL's parser has written all odd forms of an IPv4 address (octal, hex, one number) as four decimals.
    if (ipaddr.isValid(literal)) this.#checkAddress(url.hostname, literal);
    return url;
  }

  /** The same, and where its host leads at present. @throws ForbiddenTarget, also if the host cannot be found */
  async check(text: string): Promise<URL> {
    const url = this.checkUrl(text);
    if (ipaddr.isValid(url.hostname.replace(/^\[(.*)\]$/, '$1'))) return url;
    let addresses: LookupAddress[];
    try {
      addresses = await this.#resolve(url.hostname);
    } catch (cause) {
      throw new ForbiddenTarget(`names the host ${url.hostname}, which cannot be found`, { cause });
    }
    for (const { address } of addresses) this.#checkAddress(url.hostname, address);
    return url;
  }

  /**
   * For a connection: it goes to the very addresses that were checked, so that a name that leads elsewhere a moment
   * later (DNS rebinding) gains nothing. Node does not call it for addresses: those `checkUrl` has seen.
   */
  get lookup(): LookupFunction {
    return (hostname, options, done) => {
      this.#resolve(hostname).then(
        (addresses) => {
          try {
            for (const { address } of addresses) this.#checkAddress(hostname, address);
          } catch (error) {
            done(error as Error, '', 0);
            return;
          }
          const [first] = addresses;
          if (options.all === true) done(null, addresses);
          else done(null, first?.address ?? '', first?.family);
        },
        (error: unknown) => done(error as Error, '', 0),
      );
    };
  }

  #checkAddress(hostname: string, address: string): void {
    if (this.#allowedHosts.has(hostname.toLowerCase()) || isPublic(address)) return;
    const leads = hostname.includes(address) ? 'is' : `names the host ${hostname}, which leads to`;
    throw new ForbiddenTarget(
      `${leads} the address ${address}, which is not public (WEBHOOK_ALLOWED_HOSTS can allow the host)`,
    );
  }
}

/** Not private, loopback, link-local, shared, multicast, reserved, nor a form of IPv6 that holds an IPv4 address. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.parse(address);
  if (ip.range() !== 'unicast') return false;
  // All that has ever been given out lies in 2000::/3; the library takes what no list names, such as ::7f00:1, for unicast.
  return ip.kind() === 'ipv4' || ((ip as ipaddr.IPv6).parts[0] ?? 0) >>> 13 === 1;
}

function resolveBySystem(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}
