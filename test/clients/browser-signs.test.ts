import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { startBrowser } from '../support/browser/chromium.ts';
import { inKit, servePages, visit } from '../support/browser/page.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { signingTiers } from '../support/signing.ts';

const DEADLINE = { timeout: 90_000 };

describe('a page in Chromium signs as its tier asks', DEADLINE, () => {
  const opened = new AsyncDisposableStack();
  let gateway: TestGateway;
  let page: Page;
  before(async () => {
    const pages = opened.use(await servePages());
    const browser = opened.use(await startBrowser());
    const env = { CORS_ORIGINS: pages.origin };
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory', env });
    opened.defer(() => gateway.close());
    page = await visit(browser.context, pages.origin);
  }, DEADLINE);
  after(() => opened.disposeAsync());

  for (const [tier, signing] of [
    ['signed', 'hmac-sha256'],
    ['bound', 'ed25519'],
  ] as const) {
    it(`${tier}: both SDKs and the client, now and at a later visit`, async () => {
      await page.evaluate(() => localStorage.clear());
      const { licenseKey } = await gateway.createLicense({ tier });
      const said = await inKit<Record<string, unknown>>(page, 'speak', gateway.url, licenseKey);
      for (const name of ['openai', 'openaiStreamed', 'anthropic', 'anthropicStreamed']) {
        assert.equal(said[name], 'You said: Hello');
      }
      assert.equal(await inKit(page, 'speakAgain', gateway.url), 'You said: Hello');
      const kept = await page.evaluate(() => {
        const key = Object.keys(localStorage).find((name) => name.endsWith('.json')) ?? '';
        return JSON.parse(localStorage.getItem(key) ?? '') as {
          signing?: string;
          private_key?: { crv?: string };
        };
      });
      assert.equal(kept.signing, signing);
      assert.equal(kept.private_key?.crv, tier === 'bound' ? 'Ed25519' : undefined);
    });
  }

  it('and measures a wrong clock by the gateway’s Date, which it may read', async () => {
    await page.evaluate(() => {
      const { now } = Date;
      Date.now = () => now() + 3_600_000;
    });
    const outcomes = (): number =>
      gateway.logLines().filter(({ outcome }) => outcome === 'invalid_signature').length;
    const before = outcomes();
    assert.equal(await inKit(page, 'speakAgain', gateway.url), 'You said: Hello');
    assert.equal(outcomes(), before + 1, 'the clock was not wrong: this proves nothing');
  });
});
