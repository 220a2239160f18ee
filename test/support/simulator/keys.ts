import type { IncomingHttpHeaders } from 'node:http';
import type { Provider } from './reply.ts';

/** The OpenAI key that a simulator accepts by default. */
export const OPENAI_KEY = 'sk-sim-openai-key-0123456789abcdef0123456789abcdef';
/** The Anthropic key that a simulator accepts by default. */
export const ANTHROPIC_KEY = 'sk-ant-sim-api03-0123456789abcdef0123456789abcdef';

/** The keys that the simulated accounts have. */
export class KeyRing {
  readonly #keys: Record<Provider, Set<string>>;

  constructor(openai: string[] = [OPENAI_KEY], anthropic: string[] = [ANTHROPIC_KEY]) {
    this.#keys = { openai: new Set(openai), anthropic: new Set(anthropic) };
  }

  set(provider: Provider, keys: string[]): void {
    this.#keys[provider] = new Set(keys);
  }

  has(provider: Provider, key: string): boolean {
    return this.#keys[provider].has(key);
  }
}

/** The credential of `Authorization: Bearer`, if there is one. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** A key as OpenAI's error messages quote it: its first five and last four characters. */
export function maskKey(key: string): string {
  if (key.length <= 9) return '*'.repeat(key.length);
  return `${key.slice(0, 5)}${'*'.repeat(key.length - 9)}${key.slice(-4)}`;
}
