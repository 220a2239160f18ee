import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import { askRaw, headerValue, PATIENCE, type RawResponse } from './raw-http.ts';
import type { RecordedRequest } from './simulator/simulator.ts';

export const JSON_TYPE = 'Content-Type: application/json';
/** The chat completion that most tests ask for. */
export const CHAT = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] });
/** Its counterpart for Anthropic. */
export const MESSAGE = JSON.stringify({
  model: 'claude-3-haiku-20240307',
  max_tokens: 64,
  messages: [{ role: 'user', content: 'Hello' }],
});

/** A gateway with one activated device, as the tests over raw sockets need it. */
export class RawStage {
  readonly gateway: TestGateway;
  readonly device: TestDevice;
  #seen = 0;

  private constructor(gateway: TestGateway, device: TestDevice) {
    this.gateway = gateway;
    this.device = device;
  }

  static async start(options: TestGatewayOptions = {}): Promise<RawStage> {
    const gateway = await startTestGateway(options);
    try {
      return new RawStage(gateway, await gateway.device({ tier: 'enterprise' }));
    } catch (error) {
      await gateway.close();
      throw error;
    }
  }

  /** `Authorization: Bearer px_…` of the stage's device. */
  get bearer(): string {
    return `Authorization: Bearer ${this.device.proxyKey}`;
  }

  /** Sends bytes over a connection of their own and reads the first answer. */
  ask(...pieces: (string | Buffer)[]): Promise<RawResponse> {
    return askRaw(this.gateway.url, ...pieces);
  }

  /** What the provider received since the last call of this. */
  async newUpstream(): Promise<RecordedRequest[]> {
    await this.settled();
    const requests = this.gateway.simulator.requests.slice(this.#seen);
    this.#seen += requests.length;
    return requests;
  }

  /** Waits until the provider has nothing under way. */
  settled(): Promise<void> {
    return eventually(() => assert.equal(this.gateway.simulator.openRequests(), 0), PATIENCE);
  }

  /** Today's count of the device's license, as the admin API shows it. */
  async usedToday(): Promise<number> {
    const { body } = await this.gateway.admin(`/licenses/${this.device.licenseId}`);
    return (body as unknown as { license: { usage: { today: number } } }).license.usage.today;
  }

  /** Nothing went to the provider since the last look. */
  async assertNothingUpstream(context: string): Promise<void> {
    const urls = (await this.newUpstream()).map(({ method, url }) => `${method} ${url}`);
    assert.deepEqual(urls, [], `${context}: this reached the provider`);
  }

  /** No proxy key is in anything that the provider ever received. */
  assertNoKeyUpstream(): void {
    for (const request of this.gateway.simulator.requests) assertHoldsNoProxyKey(request);
  }

  /** A gateway that answers a plain request after all that was done to it. */
  async assertAlive(): Promise<void> {
    const { status } = await this.gateway.request('/proxy/openai/v1/chat/completions', {
      headers: { authorization: `Bearer ${this.device.proxyKey}` },
      body: JSON.parse(CHAT) as unknown,
    });
    assert.equal(status, 200, 'the gateway no longer serves');
    await this.newUpstream();
  }

  close(): Promise<void> {
    return this.gateway.close();
  }
}

/** Fails where a proxy key, or the beginning of one, is in anything that a request consists of. */
export function assertHoldsNoProxyKey(request: RecordedRequest): void {
  const parts = {
    url: request.url,
    headers: request.rawHeaders.join('\n'),
    body: request.body.toString('latin1'),
    trailers: JSON.stringify(request.trailers),
  };
  for (const [part, text] of Object.entries(parts)) {
    assert.ok(!/px_/i.test(text), `a proxy key reached the provider in its ${part}`);
  }
}

/** An error as a client reads it, whichever of the three shapes it has. */
export interface ClearError {
  message: string;
  code: string | undefined;
}

/** Fails unless an answer is an error of one of these statuses in JSON, with a sentence that says what is wrong. */
export function assertClearError(answer: RawResponse, context: string, ...statuses: number[]): ClearError {
  const text = answer.body.toString('utf8');
  assert.ok(
    statuses.includes(answer.status),
    `${context}: ${answer.status} instead of ${statuses.join('/')}`,
  );
  assert.match(headerValue(answer, 'content-type') ?? '', /^application\/json/, `${context}: ${text}`);
  const { error, code } = JSON.parse(text) as { error: unknown; code?: string };
  const inner = typeof error === 'string' ? { message: error, code } : (error as ClearError);
  assert.ok(
    typeof inner.message === 'string' && inner.message.length > 5,
    `${context}: no sentence in ${text}`,
  );
  return { message: inner.message, code: inner.code };
}

/** The same, in Licensify's own shape: `{"error": sentence, "code": code}` and nothing else. */
export function assertOwnError(answer: RawResponse, context: string, status: number, code: string): string {
  const { message } = assertClearError(answer, context, status);
  const body = JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>;
  assert.deepEqual(body, { error: message, code }, context);
  return message;
}
