import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { ProxyScript } from '../support/proxy-script.ts';
import { assertUsage } from '../support/recorded-usage.ts';
import { assertOnlyRealKeysIn, refusingUrl } from '../support/sdk-stage.ts';

describe('test-proxy.sh', () => {
  let gateway: TestGateway;
  let script: ProxyScript;
  before(async () => {
    const clock = new FakeClock('2026-11-22T12:00:00Z');
    gateway = await startTestGateway({ clock, counters: 'memory' });
    script = await ProxyScript.prepare();
  });
  beforeEach(() => gateway.simulator.reset());
  after(async () => {
    await gateway.close();
    script.remove();
  });

  const tryWith = (licenseKey: string | undefined) =>
    script.run({ SERVER_URL: gateway.url, HARDWARE_ID: 'hw-"script"', LICENSE_KEY: licenseKey });

  it('passes every step against a gateway that works', async () => {
    const { id, licenseKey } = await gateway.createLicense();
    const { code, said } = await tryWith(licenseKey);
    const steps = said.split('\n').filter((line) => /^[✓✗]/.test(line));
    assert.deepEqual(
      steps.map((step) => step.replace(/px_\w{4}…/, 'px_…')),
      [
        '✓ Activate the license (tier: pro)',
        '✓ Decrypt the proxy key (px_…)',
        '✓ OpenAI request',
        '✓ Anthropic request',
        '✓ Streamed OpenAI request (6 events)',
        '✓ Rate limit headers',
        '✓ A wrong proxy key is refused',
      ],
    );
    assert.equal(code, 0);
    assert.match(said, /You said: Say hello\.[^]*You said: Say hello\./);
    assert.match(
      said,
      /X-RateLimit-Limit: 1000\n +X-RateLimit-Remaining: 997\n +X-RateLimit-Reset: 2026-11-23T00:00:00Z\n/,
    );
    assert.match(said, /Invalid proxy key/);
    assertOnlyRealKeysIn(gateway.simulator.requests);
    const row = { day: '2026-11-22', refunded: 0 };
    await assertUsage(gateway, id, [
      { ...row, provider: 'anthropic', model: 'claude-haiku-4-5', requests: 1 },
      { ...row, provider: 'openai', model: 'gpt-4o-mini', requests: 2 },
    ]);
  });

  it('fails with a wrong license key, and goes no further', async () => {
    const wrong = 'LIC-0A1B2-C3D4E-5F6G7-H8J9K-0M1N2';
    rememberSecret(wrong);
    const { code, said } = await tryWith(wrong);
    assert.equal(code, 1);
    assert.match(said, /✗ Activate the license\n +expected 200, got 401: .*Invalid license key/);
    assert.equal(said.includes('✓'), false);
    assert.equal(gateway.simulator.requests.length, 0);
  });

  it('fails with the license key that it was delivered with, and says what to do', async () => {
    const { code, said } = await tryWith(undefined);
    assert.equal(code, 1);
    assert.match(said, /✗ Set LICENSE_KEY/);
  });

  it('fails where a provider fails, and still takes the other steps', async () => {
    const { licenseKey } = await gateway.createLicense();
    gateway.simulator.behave(({ url }) => (url.startsWith('/v1/messages') ? { status: 529 } : undefined));
    const { code, said } = await tryWith(licenseKey);
    assert.equal(code, 1);
    assert.match(said, /✓ OpenAI request\n[^]*✗ Anthropic request\n +expected 200, got 529: .*Overloaded/);
    assert.match(said, /✓ Streamed OpenAI request/);
    assert.match(said, /\n1 failed\.\n$/);
  });

  it('fails where a stream is cut short', async () => {
    const { licenseKey } = await gateway.createLicense();
    gateway.simulator.behave(({ body }) =>
      body.includes('"stream": true') ? { die: 'mid-stream' } : undefined,
    );
    const { code, said } = await tryWith(licenseKey);
    assert.equal(code, 1);
    assert.match(said, /✗ Streamed OpenAI request\n +expected 200, got 200, but not all of it: curl: \(18\)/);
  });

  it('fails where an answer is cut short', async () => {
    const { licenseKey } = await gateway.createLicense();
    gateway.simulator.behave({ die: 'mid-json' });
    const { code, said } = await tryWith(licenseKey);
    assert.equal(code, 1);
    assert.match(said, /✗ OpenAI request\n +expected 200, got 200, but not all of it/);
  });

  it('fails where the quota is used up', async () => {
    const { licenseKey } = await gateway.createLicense({ daily_limit: 1 });
    const { code, said } = await tryWith(licenseKey);
    assert.equal(code, 1);
    assert.match(said, /✗ Anthropic request\n +expected 200, got 429: .*Daily limit of 1 requests exceeded/);
  });

  it('fails where there is no server', async () => {
    const { code, said } = await script.run({ LICENSE_KEY: 'LIC-1', SERVER_URL: await refusingUrl() });
    assert.equal(code, 1);
    assert.match(said, /✗ Activate the license\n +expected 200, got no answer: curl: \(7\)/);
  });
});
