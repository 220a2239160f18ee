import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  LicensifyError,
  ProviderError,
  QuotaError,
  TooManyAttemptsError,
  UnavailableError,
  type Licensify,
} from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice, simulated } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { refusingUrl } from '../support/sdk-stage.ts';

describe('what goes wrong has a type', () => {
  let gateway: TestGateway;
  let device: ClientDevice;
  let client: Licensify;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = new ClientDevice(gateway);
    client = device.start({ licenseKey: (await gateway.createLicense()).licenseKey });
  });
  after(async () => {
    device[Symbol.dispose]();
    await gateway.close();
  });

  const failure = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

  it('a limit that is used up: QuotaError with the wait and the quota', async () => {
    using own = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ daily_limit: 1 });
    const limited = own.start({ licenseKey });
    await limited.call('openai', CHAT_AT, CHAT);
    assert.deepEqual([limited.quota?.limit, limited.quota?.remaining], [1, 0]);
    const error = await failure(limited.call('openai', CHAT_AT, CHAT));
    assert.ok(error instanceof QuotaError);
    assert.deepEqual([error.status, error.code], [429, 'rate_limit_exceeded']);
    assert.equal(error.message, 'Daily limit of 1 requests exceeded. Current usage: 1');
    assert.ok((error.retryAfter ?? 0) > 0 && (error.retryAfter ?? 0) <= 86_400);
    assert.ok((error.quota?.resetAt.getTime() ?? 0) > Date.now());
  });

  it("the provider's own errors: ProviderError with its status and code, its rate limit included", async () => {
    const refused = await failure(client.call('openai', CHAT_AT, CHAT, simulated('status=400')));
    assert.ok(refused instanceof ProviderError);
    assert.equal(refused.status, 400);
    const limited = await failure(
      client.call('openai', CHAT_AT, CHAT, simulated('status=429, retry-after=7')),
    );
    assert.ok(limited instanceof ProviderError, "a limit of the provider is not the customer's quota");
    assert.deepEqual([limited.status, limited.retryAfter], [429, 7]);
    const body = { ...CHAT, max_tokens: 10 };
    const anthropic = await failure(client.call('anthropic', 'v1/messages', body, simulated('status=529')));
    assert.ok(anthropic instanceof ProviderError);
    assert.deepEqual([anthropic.status, anthropic.code], [529, 'overloaded_error']);
  });

  it('what the gateway refuses: its code and its sentence', async () => {
    const error = await failure(client.call('openai', 'v1/files', {}));
    assert.ok(error instanceof LicensifyError);
    assert.deepEqual([error.status, error.code], [403, 'path_not_allowed']);
    assert.match(error.message, /POST \/v1\/files is not open to proxy keys/);
    assert.match(error.requestId ?? '', /./);
  });

  it('too many wrong license keys: TooManyAttemptsError', async () => {
    const own = await startTestGateway({ counters: 'memory' });
    try {
      using attacker = new ClientDevice(own);
      const wrong = attacker.start({ maxRetries: 0 });
      for (let attempt = 0; attempt < 30; attempt += 1) {
        const error = await failure(wrong.activate('LIC-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA'));
        if (!(error instanceof TooManyAttemptsError)) continue;
        assert.equal(error.status, 429);
        assert.ok((error.retryAfter ?? 0) > 0);
        return;
      }
      assert.fail('30 wrong keys were let through');
    } finally {
      await own.close();
    }
  });

  it('a gateway that cannot be reached: UnavailableError with the reason', async () => {
    using nowhere = new ClientDevice({ url: await refusingUrl() });
    const error = await failure(nowhere.start().activate('LIC-x'));
    assert.ok(error instanceof UnavailableError);
    assert.deepEqual([error.status, error.code], [0, 'unreachable']);
    assert.match(error.message, /cannot be reached \(ECONNREFUSED\)/);
  });

  it('a provider that cannot be reached: UnavailableError', async () => {
    const error = await failure(client.call('openai', CHAT_AT, CHAT, simulated('die=before-headers')));
    assert.ok(error instanceof UnavailableError);
    assert.deepEqual([error.status, error.code], [502, 'upstream_unreachable']);
  });

  it('an abort is the reason that was given, before and during a call', async () => {
    const reason = new Error('the user closed the window');
    await assert.rejects(client.call('openai', CHAT_AT, CHAT, { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const call = client.call('openai', CHAT_AT, CHAT, {
      ...simulated('hang=before-headers'),
      signal: controller.signal,
    });
    await gateway.simulator.waitForRequest(
      ({ headers }) => headers['x-simulate'] === 'hang=before-headers',
      5_000,
    );
    controller.abort(reason);
    await assert.rejects(call, reason);
  });
});
