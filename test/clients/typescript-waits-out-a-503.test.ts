import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { UnavailableError } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice, simulated } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const refusal = (code: string, retryAfter: number): Response =>
  Response.json(
    { error: 'Try again shortly', code },
    { status: 503, headers: { 'retry-after': String(retryAfter) } },
  );

describe('503 with Retry-After', () => {
  let gateway: TestGateway;
  let licenseKey: string;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    ({ licenseKey } = await gateway.createLicense());
  });
  after(() => gateway.close());

  /** A network that says this before it lets a request through to the gateway. */
  function refusing(times: number, answer: () => Response): { fetch: typeof fetch; asked: () => number } {
    let asked = 0;
    const through: typeof fetch = (input, init) => {
      if (!(input instanceof Request ? input.url : input.toString()).includes('/proxy/'))
        return fetch(input, init);
      asked += 1;
      return asked <= times ? Promise.resolve(answer()) : fetch(input, init);
    };
    return { fetch: through, asked: () => asked };
  }

  for (const code of ['counters_unavailable', 'database_unavailable', 'shutting_down']) {
    it(`${code}: nothing was done, so the call is made again, after the wait`, async () => {
      using device = new ClientDevice(gateway);
      const network = refusing(2, () => refusal(code, 0));
      await device.start({ licenseKey, fetch: network.fetch }).call('openai', CHAT_AT, CHAT);
      assert.equal(network.asked(), 3);
    });
  }

  it('is given up after maxRetries', async () => {
    using device = new ClientDevice(gateway);
    const network = refusing(9, () => refusal('counters_unavailable', 0));
    const client = device.start({ licenseKey, fetch: network.fetch, maxRetries: 3 });
    await assert.rejects(client.call('openai', CHAT_AT, CHAT), {
      name: 'UnavailableError',
      code: 'counters_unavailable',
    });
    assert.equal(network.asked(), 4);
  });

  it('a long wait is left to the caller', async () => {
    using device = new ClientDevice(gateway);
    const network = refusing(1, () => refusal('shutting_down', 11));
    const client = device.start({ licenseKey, fetch: network.fetch });
    const error = await client.call('openai', CHAT_AT, CHAT).catch((e: unknown) => e);
    assert.ok(error instanceof UnavailableError);
    assert.equal(error.retryAfter, 11);
    assert.equal(network.asked(), 1);
  });

  it("a provider's own 503 is not repeated: it may have done its work", async () => {
    using device = new ClientDevice(gateway);
    const client = device.start({ licenseKey });
    await client.key();
    const before = gateway.simulator.requests.length;
    await assert.rejects(client.call('openai', CHAT_AT, CHAT, simulated('status=503, retry-after=0')), {
      name: 'ProviderError',
      status: 503,
    });
    assert.equal(gateway.simulator.requests.length, before + 1);
  });

  it('an abort ends the wait', async () => {
    using device = new ClientDevice(gateway);
    const network = refusing(9, () => refusal('counters_unavailable', 9));
    const client = device.start({ licenseKey, fetch: network.fetch });
    const controller = new AbortController();
    const call = client.call('openai', CHAT_AT, CHAT, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await assert.rejects(call, /enough/);
  });
});
