import { asObject } from './answers.ts';
import { LicensifyError, StoreError } from './errors.ts';
import { webCrypto } from './web-crypto.ts';

/** A device's own Ed25519 key pair as a JSON Web Key (RFC 8037): stores hold texts, and no CryptoKey. */
export interface DeviceKey {
  kty: 'OKP';
  crv: 'Ed25519';
  /** The public key, raw, in base64url: what activation sends, and signatures name. */
  x: string;
  /** The private key. It is sent nowhere. */
  d: string;
}

/** What has been imported of each, for as long as it is in use. */
const opened = new WeakMap<DeviceKey, Promise<CryptoKey>>();

/** @throws LicensifyError where the platform has no Ed25519 */
export async function makeDeviceKey(): Promise<DeviceKey> {
  const subtle = webCrypto();
  try {
    const pair = (await subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as { privateKey: CryptoKey };
    const key = readDeviceKey(await subtle.exportKey('jwk', pair.privateKey));
    if (key !== undefined) return key;
    throw new Error('what was exported is no Ed25519 key');
  } catch (cause) {
    throw new LicensifyError(
      'WebCrypto has no Ed25519 here, which proof of possession needs: Node.js 20, Chrome 137, Firefox 129 and Safari 17 have it',
      { code: 'no_ed25519', cause },
    );
  }
}

/** What of a JSON Web Key matters; undefined where it is none of this kind. */
export function readDeviceKey(value: unknown): DeviceKey | undefined {
  const jwk = asObject(value);
  const { kty, crv, x, d } = jwk ?? {};
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || typeof d !== 'string') return undefined;
  return { kty, crv, x, d };
}

/** Signs with it; what is imported can be exported no more. @throws StoreError where it is damaged */
export async function signWith(key: DeviceKey, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const subtle = webCrypto();
  const found = opened.get(key) ?? subtle.importKey('jwk', { ...key }, 'Ed25519', false, ['sign']);
  opened.set(key, found);
  try {
    return new Uint8Array(await subtle.sign('Ed25519', await found, bytes));
  } catch (cause) {
    throw new StoreError('The private key of this device is damaged: activate again, which makes a new one', {
      code: 'store_damaged',
      cause,
    });
  }
}
