import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { startBrowser, type Browser } from '../support/browser/chromium.ts';
import type { Seen } from '../support/browser/page-kit.ts';
import { inKit, servePages, visit, type ServedPages } from '../support/browser/page.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { chat, CHAT_PATH, usageOf } from '../support/streams.ts';

const DEADLINE = { timeout: 90_000 };

describe('a page in Chromium, from another origin than the gateway', DEADLINE, () => {
  const opened = new AsyncDisposableStack();
  let listed: ServedPages;
  let gateway: TestGateway;
  let browser: Browser;
  let page: Page;
  before(async () => {
    listed = opened.use(await servePages());
    browser = opened.use(await startBrowser());
    gateway = await startTestGateway({ counters: 'memory', env: { CORS_ORIGINS: listed.origin } });
    opened.defer(() => gateway.close());
    page = await visit(browser.context, listed.origin);
  }, DEADLINE);
  after(() => opened.disposeAsync());

  const ask = (on: Page, path: string, init: object): Promise<Seen> =>
    inKit(on, 'ask', gateway.url + path, init);
  const call = (device: TestDevice, simulate?: string): object => ({
    method: 'POST',
    ...chat(device, simulate === undefined ? {} : { simulate }),
  });
  const optionsRequests = (): number =>
    gateway.logLines().filter(({ method }) => method === 'OPTIONS').length;

  it('activates, and speaks through both SDKs and the client; preflights are neither counted nor passed on', async () => {
    const { licenseKey, id } = await gateway.createLicense({ daily_limit: 100 });
    const [asked, preflights] = [gateway.simulator.requests.length, optionsRequests()];
    const { hardwareId, kept, requestId, ...said } = await inKit<Record<string, unknown>>(
      page,
      'speak',
      gateway.url,
      licenseKey,
    );
    assert.deepEqual(said, {
      openai: 'You said: Hello',
      openaiStreamed: 'You said: Hello',
      anthropic: 'You said: Hello',
      anthropicStreamed: 'You said: Hello',
      remaining: 96,
    });
    assert.match(String(hardwareId), /^hw-[0-9a-f]{32}$/);
    assert.match(String(requestId), /./);
    const host = gateway.url.replace(/.*:/, 'http_127.0.0.1_');
    assert.deepEqual(kept, ['licensify/default/device-id', `licensify/default/${host}.json`]);
    assert.equal(await inKit(page, 'speakAgain', gateway.url), 'You said: Hello');

    assert.ok(optionsRequests() > preflights, 'the browser asked nothing before: this proves nothing');
    const requests = gateway.simulator.requests.slice(asked);
    assert.deepEqual(
      requests.map(({ method }) => method),
      Array.from({ length: 5 }, () => 'POST'),
    );
    // The SDKs' own headers made it through the preflight.
    assert.ok(requests.some(({ headers }) => 'x-stainless-lang' in headers));
    assert.ok(
      requests.some(({ headers }) => headers['anthropic-dangerous-direct-browser-access'] === 'true'),
    );
    assert.equal((await usageOf(gateway, { licenseId: id } as TestDevice)).today, 5);
  });

  it('hears a stream piece by piece, and hanging up ends the work of the provider', async () => {
    const pieces = await inKit<string[]>(page, 'listen', gateway.url, 3);
    assert.equal(pieces.length, 3);
    const request = gateway.simulator.requests.at(-1);
    assert.equal(request?.headers['x-simulate'], 'hang=mid-stream, chunks=8');
    await inKit(page, 'hangUp');
    await request.closed;
    assert.equal(request.aborted, true);
  });

  it('reads the quota and the ids of every answer: good ones, refusals, and errors of the provider', async () => {
    const device = await gateway.device({ daily_limit: 3 });
    for (const [simulate, status] of [
      [undefined, 200],
      ['status=400', 400],
      ['status=500', 500],
    ] as const) {
      const { headers = {}, ...seen } = await ask(page, CHAT_PATH, call(device, simulate));
      assert.equal(seen.status, status);
      for (const name of ['limit', 'remaining', 'reset'])
        assert.match(headers[`x-ratelimit-${name}`] ?? '', /./);
      assert.match(headers['x-licensify-request-id'] ?? '', /./);
    }
    const wrong = await ask(page, CHAT_PATH, call({ ...device, proxyKey: `px_${'A'.repeat(40)}` }));
    assert.equal(wrong.status, 401);
    assert.match(wrong.text ?? '', /invalid_proxy_key/);
    const refused = await ask(page, '/activate', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ license_key: 'LIC-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA', hardware_id: 'hw' }),
    });
    assert.equal(refused.status, 401);
    assert.match(refused.text ?? '', /invalid_license_key/);
    assert.equal((await ask(page, '/tiers', {})).status, 200);
  });

  it('is told of a used-up limit by a typed error, and the SDK does not try again in vain', async () => {
    const { licenseKey, id } = await gateway.createLicense({ daily_limit: 1 });
    const fresh = await visit(browser.context, listed.origin);
    await fresh.evaluate(() => localStorage.clear());
    await gateway.admin(`/licenses/${id}`, { method: 'PATCH', body: { daily_limit: 4 } });
    await inKit(fresh, 'speak', gateway.url, licenseKey);
    const before = gateway.logLines().filter(({ status }) => status === 429).length;
    const { own, sdk } = await inKit<{ own: unknown[]; sdk: boolean }>(fresh, 'fail', gateway.url);
    assert.deepEqual(own.slice(0, 3), ['QuotaError', 429, 'rate_limit_exceeded']);
    assert.ok(Number(own[3]) > 0);
    assert.match(String(own[4]), /./);
    assert.equal(sdk, true);
    assert.equal(gateway.logLines().filter(({ status }) => status === 429).length, before + 2);
  });
});
