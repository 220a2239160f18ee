import assert from 'node:assert/strict';
import Anthropic, { type ClientOptions as AnthropicOptions } from '@anthropic-ai/sdk';
import OpenAI, { type ClientOptions as OpenAIOptions } from 'openai';
import { FakeClock } from './fake-clock.ts';
import { startTestGateway, type TestDevice, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import {
  ANTHROPIC_KEY,
  OPENAI_KEY,
  startSimulator,
  type Behaviour,
  type RecordedRequest,
  type Simulator,
} from './simulator/simulator.ts';

/** What a test's usage rows are booked on: its clock stands still, so that no midnight comes between. */
export const STAGE_DAY = '2026-11-22';

/** That clock, for each gateway that counts into the same ledger. */
export function stageClock(): FakeClock {
  return new FakeClock(`${STAGE_DAY}T12:00:00Z`);
}

/** The official OpenAI SDK as a customer sets it up: nothing but the base URL and the proxy key. */
export function openaiAt(gateway: TestGateway, proxyKey: string, options: OpenAIOptions = {}): OpenAI {
  return new OpenAI({ apiKey: proxyKey, baseURL: `${gateway.url}/proxy/openai/v1`, ...options });
}

/** The official Anthropic SDK, likewise. */
export function anthropicAt(
  gateway: TestGateway,
  proxyKey: string,
  options: AnthropicOptions = {},
): Anthropic {
  return new Anthropic({ apiKey: proxyKey, baseURL: `${gateway.url}/proxy/anthropic`, ...options });
}

/** A gateway, a license on it, and each SDK twice: at the gateway, and straight at a provider that is just like it. */
export interface SdkStage {
  readonly gateway: TestGateway;
  readonly device: TestDevice;
  readonly openai: OpenAI;
  readonly openaiDirect: OpenAI;
  readonly anthropic: Anthropic;
  readonly anthropicDirect: Anthropic;
  close(): Promise<void>;
}

/**
 * Starts one. It counts in process: with Redis, a machine under load may decide an admission too late, and the SDK would
 * try it again, which is right and makes the counts of a test a matter of luck.
 */
export async function startSdkStage(options: TestGatewayOptions = {}): Promise<SdkStage> {
  const gateway = await startTestGateway({ clock: stageClock(), counters: 'memory', ...options });
  const reference: Simulator = await startSimulator();
  const device = await gateway.device();
  return {
    gateway,
    device,
    openai: openaiAt(gateway, device.proxyKey),
    openaiDirect: new OpenAI({ apiKey: OPENAI_KEY, baseURL: `${reference.url}/v1` }),
    anthropic: anthropicAt(gateway, device.proxyKey),
    anthropicDirect: new Anthropic({ apiKey: ANTHROPIC_KEY, baseURL: reference.url }),
    close: async () => {
      await gateway.close();
      await reference.close();
    },
  };
}

/** What a call through the gateway answers, having asserted that the provider itself answers the same. */
export async function sameAsDirect<Client, Answer>(
  clients: readonly [atGateway: Client, direct: Client],
  call: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const answer = await call(clients[0]);
  assert.deepEqual(answer, await call(clients[1]));
  return answer;
}

/** All that an SDK's stream or list yields. */
export async function collect<Item>(
  items: AsyncIterable<Item> | PromiseLike<AsyncIterable<Item>>,
): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of await items) collected.push(item);
  return collected;
}

/** Asserts that a provider was sent its real key, in its own header only, and nothing that a proxy key begins with. */
export function assertOnlyRealKeysIn(requests: readonly RecordedRequest[]): void {
  assert.notEqual(requests.length, 0, 'the provider received nothing');
  for (const request of requests) {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const isReal =
      apiKey === undefined
        ? authorization === `Bearer ${OPENAI_KEY}`
        : apiKey === ANTHROPIC_KEY && authorization === undefined;
    assert.ok(isReal, 'the provider was sent another credential than its real key');
    const everything = [request.url, ...request.rawHeaders, request.body.toString('latin1')].join('\n');
    assert.equal(everything.includes('px_'), false, 'a proxy key reached the provider');
  }
}

/** Request options that tell the simulator how to treat a call: the gateway passes the header on like any other. */
export function simulate(directives: string): { headers: Record<string, string> } {
  return { headers: { 'x-simulate': directives } };
}

/** Makes the provider fail a number of times, then recover: what an SDK's retries are for. */
export function failFirst({ simulator }: TestGateway, failures: number, behaviour: Behaviour): void {
  const seen = simulator.requests.length;
  simulator.behave((request) =>
    simulator.requests.indexOf(request) < seen + failures ? behaviour : undefined,
  );
}

/** Reads a stream's first items and leaves it open. */
export async function readSome<Item>(stream: AsyncIterable<Item>, count: number): Promise<Item[]> {
  const iterator = stream[Symbol.asyncIterator]();
  const read: Item[] = [];
  while (read.length < count) {
    const next = await iterator.next();
    if (next.done === true) throw new Error(`the stream ended after ${read.length} items`);
    read.push(next.value);
  }
  return read;
}

/**
 * Asserts that aborting a call closes the provider's connection within 100 ms. On a busy machine the processor may be
 * elsewhere for longer than that: then it is tried again, a few times, but each of the connections has to be closed.
 * @param abort makes a call, aborts it and tells when
 */
export async function assertAbortClosesUpstream(
  simulator: Simulator,
  abort: () => Promise<number>,
): Promise<void> {
  const took: number[] = [];
  while (took.length < 5) {
    const abortedAt = await abort();
    const request = simulator.requests.at(-1);
    await request?.closed;
    assert.equal(request?.aborted, true);
    assert.equal(simulator.openRequests(), 0);
    took.push((request.closedAt ?? Infinity) - abortedAt);
    if (Math.min(...took) <= 100) return;
  }
  assert.fail(`the provider's connections closed after ${took.join(', ')} ms`);
}

/** Where nobody listens: a connection is refused at once. */
export async function refusingUrl(): Promise<string> {
  const simulator = await startSimulator();
  await simulator.close();
  return simulator.url;
}

/** Everything that an SDK's exception lets a customer read. */
export function textOfError(error: {
  message: string;
  error?: unknown;
  headers?: Headers | undefined;
}): string {
  return JSON.stringify([error.message, error.error, [...(error.headers ?? [])]]);
}

/** Asserts that a text quotes no five characters in a row of a key, nor its end, as providers' own texts do. */
export function assertQuotesNothingOf(key: string, text: string): void {
  const parts = Array.from({ length: key.length - 4 }, (_, at) => key.slice(at, at + 5));
  const quoted = [...parts, key.slice(-4)].filter((part) => text.includes(part));
  assert.equal(quoted.length, 0, 'the answer quotes a part of the real key');
}

/** A text as a body of unknown length, which an SDK sends in chunks. */
export async function* inPieces(text: string, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) {
    yield Buffer.from(text.slice(at, at + size));
    await new Promise(setImmediate);
  }
}
