import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const FORMAT = 1;
const ID_BYTES = 4;
/** What NIST SP 800-38D recommends for GCM, and the longest tag. Bytes. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + ID_BYTES + NONCE_BYTES;

export const MASTER_KEY_BYTES = 32;

/** What was stored cannot be read: the message says why and what to do, and holds no secret. */
export class SecretUnreadable extends Error {
  override name = 'SecretUnreadable';
}

interface MasterKey {
  id: string;
  key: Buffer;
}

/**
 * Encrypts secrets that have to be stored and read again, such as the providers' keys, under MASTER_KEY: AES-256-GCM with
 * a fresh random nonce. What a secret is for is authenticated with it, so that a row that was copied to another place is
 * not taken for that place's secret.
 *
 * Of several master keys the first encrypts and each decrypts, so that the master key itself can be replaced: put the new
 * one in front, seal everything again, take the old one away.
 *
 * A sealed secret is: the format's number, the id of the master key (4 bytes), the nonce (12), the ciphertext, the tag (16).
 */
export class SecretBox {
  readonly #keys: readonly MasterKey[];
  readonly #current: MasterKey;

  /** @param masterKeys 32 bytes each, the one in force first @throws if there is none, or one has another length */
  constructor(masterKeys: readonly Buffer[]) {
    this.#keys = masterKeys.map((key) => ({ id: masterKeyId(key), key }));
    const [current] = this.#keys;
    if (current === undefined || masterKeys.some(({ length }) => length !== MASTER_KEY_BYTES))
      throw new RangeError(`a master key has ${MASTER_KEY_BYTES} bytes`);
    this.#current = current;
  }

  /** Of the key that encrypts: eight hexadecimal digits, which tell nothing about it. */
  get currentKeyId(): string {
    return this.#current.id;
  }

  /** @param context what the secret is for, such as `provider:openai`; it has to be given again to read it */
  seal(secret: string, context: string): Buffer {
    const { id, key } = this.#current;
    const nonce = randomBytes(NONCE_BYTES);
    const head = Buffer.concat([Buffer.of(FORMAT), Buffer.from(id, 'hex'), nonce]);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(authenticated(head, context));
    return Buffer.concat([head, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws SecretUnreadable if it was sealed under a master key that is not here, for something else, or was changed */
  open(sealed: Uint8Array, context: string): string {
    const bytes = Buffer.from(sealed);
    const id = this.keyIdOf(bytes);
    const known = this.#keys.find((key) => key.id === id);
    if (known === undefined) {
      throw new SecretUnreadable(
        `${context} is encrypted under the master key ${id}, which MASTER_KEY does not list ` +
          `(it lists ${this.#keys.map((key) => key.id).join(', ')}): add that key behind the present one`,
      );
    }
    const head = bytes.subarray(0, HEAD_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', known.key, head.subarray(-NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(authenticated(head, context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch {
      throw new SecretUnreadable(
        `${context} was changed where it is stored, or belongs elsewhere: set it anew`,
      );
    }
  }

  /** Whether it is sealed under the master key in force; otherwise it is to be sealed again. */
  isCurrent(sealed: Uint8Array): boolean {
    return this.keyIdOf(sealed) === this.#current.id;
  }

  /** @throws SecretUnreadable if it is no sealed secret at all */
  keyIdOf(sealed: Uint8Array): string {
    if (sealed.length < HEAD_BYTES + TAG_BYTES || sealed[0] !== FORMAT)
      throw new SecretUnreadable(
        'what is stored is no encrypted secret of a format that is known: set it anew',
      );
    return Buffer.from(sealed.subarray(1, 1 + ID_BYTES)).toString('hex');
  }
}

/** Tells master keys apart without telling anything about them: they are random, so a hash cannot be turned back. */
export function masterKeyId(key: Buffer): string {
  return createHash('sha256')
    .update('licensify master key\0')
    .update(key)
    .digest('hex')
    .slice(0, 2 * ID_BYTES);
}

function authenticated(head: Buffer, context: string): Buffer {
  return Buffer.concat([head, Buffer.from(context, 'utf8')]);
}
