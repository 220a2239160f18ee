import { hash } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { KEY_TO_COME } from '../config-secrets.ts';

/** How often a key's file is looked at: a new key is in use within a second. Milliseconds. */
const LOOK_EVERY = 500;

/** A provider's real key as it is used now. */
export interface KeyInForce {
  readonly value: string;
  /** Tells keys apart without telling anything about them. */
  readonly fingerprint: string;
  readonly source: 'environment' | 'file' | 'admin';
  /** Set by an administrator, read from its file, or there since the start. Milliseconds since the epoch. */
  readonly since: number;
}

/** The first eight hexadecimal digits of a key's SHA-256; keys are random, so they cannot be turned back. */
export function fingerprintOf(key: string): string {
  return hash('sha256', key, 'hex').slice(0, 8);
}

/**
 * A provider's real key as the settings give it. One that comes from a file is read again when the file changes, so
 * that rotating a secret needs no restart. Polling, since Kubernetes swaps a symbolic link, which no watch on the file
 * notices.
 */
export class ProviderKey {
  readonly #file: string | undefined;
  #inForce: KeyInForce;

  /**
   * @param read reads the file; what it throws leaves the key before in force
   * @param onChange told of each attempt to take over a changed file, with the error where it failed
   */
  constructor(
    source: { value: string; file?: string },
    read: (file: string) => string,
    onChange: (error: unknown) => void,
  ) {
    this.#file = source.file;
    this.#inForce = this.#taken(source.value);
    if (source.file === undefined) return;
    const { file } = source;
    const take = (): void => {
      try {
        const value = read(file);
        if (value === this.#inForce.value) return;
        this.#inForce = this.#taken(value);
        onChange(undefined);
      } catch (error) {
        onChange(error);
      }
    };
    watchFile(file, { interval: LOOK_EVERY, persistent: false }, take);
    // It may have changed since the settings were read: nobody watched it then.
    take();
  }

  /** Undefined as long as its file says that the key is still to come. */
  get inForce(): KeyInForce | undefined {
    return this.#inForce.value === KEY_TO_COME ? undefined : this.#inForce;
  }

  close(): void {
    if (this.#file !== undefined) unwatchFile(this.#file);
  }

  #taken(value: string): KeyInForce {
    const source = this.#file === undefined ? 'environment' : 'file';
    return { value, fingerprint: fingerprintOf(value), source, since: Date.now() };
  }
}
