import { isIPv6 } from 'node:net';

/** The longest that an address is written: IPv6 with a zone. What a proxy writes in its place may be anything. */
const MAX_LENGTH = 64;

/**
 * What counts as one where addresses are counted: an IPv4 address, or the /64 of an IPv6 address, since that is what a
 * single customer has.
 * @param address as Express has it, by TRUST_PROXY
 */
export function networkOf(address: string | undefined): string {
  const text = (address ?? 'unknown').slice(0, MAX_LENGTH).toLowerCase();
  const plain = text.replace(/%.*$/, '');
  if (!isIPv6(plain)) return text;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  return mapped ?? firstHalf(plain);
}

/** The first four groups, each as short as it can be, so that one network has one name. */
function firstHalf(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
