import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Licensify, type LicensifyOptions } from '../../clients/typescript/src/index.ts';
import { nameFor } from '../../clients/typescript/src/activation.ts';
import { fileStore } from '../../clients/typescript/src/file-store.ts';
import { rememberSecret } from './output.ts';

/** What the clients keep on a device. */
export interface KeptFile {
  version: number;
  url: string;
  license_key?: string;
  hardware_id: string;
  proxy_key: string;
  signing?: string;
  private_key?: { kty: string; crv: string; x: string; d: string };
}

/** A customer's device: a home of its own, on which the TypeScript client runs, any number of times. */
export class ClientDevice implements Disposable {
  readonly url: string;
  /** Stands for `$XDG_DATA_HOME`. */
  readonly home = mkdtempSync(join(tmpdir(), 'licensify-client-'));

  constructor({ url }: { url: string }) {
    this.url = url;
  }

  /** A start of the application, which names its device. */
  start(options: Partial<LicensifyOptions> = {}): Licensify {
    return this.startUnnamed({ hardwareId: 'hw-client', ...options });
  }

  /** A start of one that does not. */
  startUnnamed(options: Partial<LicensifyOptions> = {}): Licensify {
    const store = fileStore({ env: { XDG_DATA_HOME: this.home }, platform: 'linux' });
    return new Licensify({ url: this.url, store, ...options });
  }

  get keyFile(): string {
    return join(this.home, 'licensify', 'default', nameFor(this.url));
  }

  kept(): KeptFile {
    const kept = JSON.parse(readFileSync(this.keyFile, 'utf8')) as KeptFile;
    rememberSecret(kept.proxy_key);
    if (kept.private_key !== undefined) rememberSecret(kept.private_key.d);
    return kept;
  }

  isKept(): boolean {
    return existsSync(this.keyFile);
  }

  mode(): number {
    return statSync(this.keyFile).mode & 0o777;
  }

  setMode(mode: number): void {
    chmodSync(this.keyFile, mode);
  }

  write(text: string): void {
    writeFileSync(this.keyFile, text);
  }

  lose(): void {
    rmSync(this.keyFile);
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A chat request of either provider, for `call` and `stream`. */
export const CHAT = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };
export const CHAT_AT = 'v1/chat/completions';

/** Directives for the simulator, as a call's options. */
export function simulated(directives: string): { headers: Record<string, string> } {
  return { headers: { 'x-simulate': directives } };
}

/** All that an iterator brings until it ends or throws. */
export async function drain<Item>(items: AsyncIterable<Item>): Promise<{ items: Item[]; error: unknown }> {
  const collected: Item[] = [];
  try {
    for await (const item of items) collected.push(item);
    return { items: collected, error: undefined };
  } catch (error) {
    return { items: collected, error };
  }
}
