import { createPublicKey, type KeyObject } from 'node:crypto';

/** The public half of a device's Ed25519 key. */
export interface DeviceKey {
  /** The raw key in base64url: what signatures name as `keyid`. */
  readonly id: string;
  readonly key: KeyObject;
}

const RAW_LENGTH = 32;
const RAW = /^[\w+/-]{43}=?$/;
const PEM = /^\s*-----BEGIN PUBLIC KEY-----/;

/**
 * The points of small order and their other spellings, the sign bit aside: under such a key anybody can sign, and a
 * buffer that a client forgot to fill is one of them. https://eprint.iacr.org/2020/1244
 */
const weak = new Set([
  '00'.repeat(32),
  '01' + '00'.repeat(31),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ec' + 'ff'.repeat(30) + '7f',
  'ed' + 'ff'.repeat(30) + '7f',
  'ee' + 'ff'.repeat(30) + '7f',
]);

/** Reads an Ed25519 public key as a client sends it: 32 bytes in base64url or base64, or an SPKI PEM. */
export function parseDeviceKey(text: string): DeviceKey | undefined {
  const raw = PEM.test(text) ? rawFromPem(text) : rawFromBase64(text.trim());
  return raw === undefined || isWeak(raw) ? undefined : deviceKey(raw);
}

/** @param raw 32 bytes that were accepted before */
export function deviceKey(raw: Uint8Array): DeviceKey {
  const id = Buffer.from(raw).toString('base64url');
  return { id, key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: id }, format: 'jwk' }) };
}

/** The raw 32 bytes, as they are stored. */
export function rawDeviceKey({ id }: DeviceKey): Buffer {
  return Buffer.from(id, 'base64url');
}

function rawFromBase64(text: string): Buffer | undefined {
  return RAW.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function rawFromPem(pem: string): Buffer | undefined {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') return undefined;
    const raw = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
    return raw.length === RAW_LENGTH ? raw : undefined;
  } catch {
    return undefined;
  }
}

function isWeak(raw: Buffer): boolean {
  const withoutSign = Buffer.from(raw);
  withoutSign.writeUInt8(withoutSign.readUInt8(RAW_LENGTH - 1) & 0x7f, RAW_LENGTH - 1);
  return weak.has(withoutSign.toString('hex'));
}
