import { unwatchFile, watchFile } from 'node:fs';

/** How often a key's file is looked at: a new key is in use within this time and a little. Milliseconds. */
const LOOK_EVERY = 1_000;

/**
 * A provider's real key as it is at the moment. One that comes from a file is read again when the file changes, so
 * that rotating a secret needs no restart. Polling, since Kubernetes swaps a symbolic link, which no watch on the file
 * notices.
 */
export class ProviderKey {
  readonly #file: string | undefined;
  #value: string;

  /**
   * @param read reads the file; what it throws leaves the key before in force
   * @param onChange told of each attempt to take over a changed file, with the error where it failed
   */
  constructor(
    source: { value: string; file?: string },
    read: (file: string) => string,
    onChange: (error: unknown) => void,
  ) {
    this.#value = source.value;
    this.#file = source.file;
    if (source.file === undefined) return;
    const { file } = source;
    const take = (): void => {
      try {
        const value = read(file);
        if (value === this.#value) return;
        this.#value = value;
        onChange(undefined);
      } catch (error) {
        onChange(error);
      }
    };
    watchFile(file, { interval: LOOK_EVERY, persistent: false }, take);
    // It may have changed since the settings were read: nobody watched it then.
    take();
  }

  get value(): string {
    return this.#value;
  }

  close(): void {
    if (this.#file !== undefined) unwatchFile(this.#file);
  }
}
