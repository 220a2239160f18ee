import assert from 'node:assert/strict';
import { FakeClock } from './fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestDevice, type TestGateway } from './gateway.ts';
import {
  boundDevice,
  CHAT,
  newDeviceKey,
  send,
  sentenceOf,
  signingTiers,
  signMessage,
  type TestKey,
  type Unsigned,
} from './signing.ts';

/** A device that is bound to a key of its own, on a gateway whose clock stands still, and what a thief may try. */
export interface StolenKey {
  readonly gateway: TestGateway;
  readonly device: TestDevice;
  readonly key: TestKey;
  /** Of the gateway's clock. Unix seconds. */
  readonly now: number;
  /** What the device itself sends. */
  readonly body: string;
  /** A good signature of the device's, or one that deviates. */
  sign(options?: Partial<Unsigned>): Record<string, string>;
  /** Sends with the device's proxy key: its own body to its own path, or something else. */
  ask(
    headers: Record<string, string>,
    options?: { target?: string; method?: string; body?: string | undefined },
  ): Promise<JsonAnswer>;
  /** Asserts that an answer is 401 with a sentence, that the provider saw nothing and that nothing was counted. */
  refused(answer: Promise<JsonAnswer>, says: RegExp): Promise<void>;
}

export async function stealKey(): Promise<StolenKey> {
  const clock = new FakeClock('2026-11-25T12:00:00Z');
  const gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory', clock });
  const key = newDeviceKey();
  const device = await boundDevice(gateway, key);
  const now = clock.now() / 1_000;
  const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}';
  const used = async (): Promise<number> => (await gateway.gateway.admission.used(device.licenseId)).today;
  return {
    ...{ gateway, device, key, now, body },
    sign: (options = {}) => ({ ...signMessage({ key, body, created: now, ...options }) }),
    ask: (headers, options = {}) =>
      send(gateway, options.target ?? CHAT, {
        method: options.method ?? 'POST',
        headers: { authorization: `Bearer ${device.proxyKey}`, ...headers },
        body: 'body' in options ? options.body : body,
      }),
    async refused(asked, says) {
      const seen = gateway.simulator.requests.length;
      const before = await used();
      const answer = await asked;
      assert.equal(answer.status, 401, answer.text);
      assert.match(sentenceOf(answer), says);
      assert.equal(gateway.simulator.requests.length, seen, 'nothing of it reaches the provider');
      assert.equal(await used(), before, 'nothing is counted');
    },
  };
}
