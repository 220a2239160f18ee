import type { Session } from '../session-rows.ts';
import type { Tier } from '../tiers.ts';
import type { DeviceKey } from './device-key.ts';

/** What a request has to prove: nothing at all is undefined. */
export type Demand =
  /** An HMAC under the proxy key. */
  | { kind: 'hmac-sha256' }
  /** An HTTP message signature under the device's key. */
  | { kind: 'ed25519'; key: DeviceKey }
  /** The tier asks for a key of the device, and the proxy key is bound to none. */
  | { kind: 'no-key' };

/** What the rules ask for; a tier that is no longer in the file asks for nothing, and admits nothing either. */
export type DemandingTier = Pick<Tier, 'requireSignature' | 'requireProofOfPossession'>;

/**
 * What a request has to prove.
 * @param options.everywhere whether signatures are asked for on every tier
 * @param options.stamped whether the request carries an HMAC signature: then it is looked at, asked for or not
 */
export function demandOn(
  session: Pick<Session, 'deviceKey'>,
  tier: DemandingTier | undefined,
  { everywhere, stamped }: { everywhere: boolean; stamped: boolean },
): Demand | undefined {
  // A device that proves possession has signed all that an HMAC would cover, and more.
  if (session.deviceKey !== undefined) return { kind: 'ed25519', key: session.deviceKey };
  if (tier?.requireProofOfPossession === true) return { kind: 'no-key' };
  return everywhere || stamped || tier?.requireSignature === true ? { kind: 'hmac-sha256' } : undefined;
}
