import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startBrowser, type Browser } from '../support/browser/chromium.ts';
import type { Seen } from '../support/browser/page-kit.ts';
import { inKit, servePages, visit, type ServedPages } from '../support/browser/page.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chat, CHAT_PATH, usageOf } from '../support/streams.ts';

const DEADLINE = { timeout: 90_000 };
const BLOCKED = { blocked: 'TypeError: Failed to fetch' };

describe('what Chromium keeps from a page', DEADLINE, () => {
  const opened = new AsyncDisposableStack();
  let listed: ServedPages;
  let gateway: TestGateway;
  let browser: Browser;
  before(async () => {
    listed = opened.use(await servePages());
    browser = opened.use(await startBrowser());
    gateway = await startTestGateway({ counters: 'memory', env: { CORS_ORIGINS: listed.origin } });
    opened.defer(() => gateway.close());
  }, DEADLINE);
  after(() => opened.disposeAsync());

  it('of an origin that is not listed: every answer; and its calls reach nobody', async () => {
    const device = await gateway.device();
    await using other = await servePages();
    const stranger = await visit(browser.context, other.origin);
    const asked = gateway.simulator.requests.length;
    const call = { method: 'POST', ...chat(device) };
    for (const [path, init] of [
      [CHAT_PATH, call],
      ['/proxy/anthropic/v1/messages', { ...call, headers: { 'x-api-key': device.proxyKey } }],
      ['/check', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }],
      ['/tiers', {}],
    ] as const) {
      const seen = await inKit<Seen>(stranger, 'ask', gateway.url + path, init);
      assert.deepEqual(seen, BLOCKED, path);
    }
    assert.equal(gateway.simulator.requests.length, asked);
    assert.equal((await usageOf(gateway, device)).today, 0);
  });

  it('of a listed origin: the admin API, while it may read the license endpoints', async () => {
    const page = await visit(browser.context, listed.origin);
    const init = { headers: { authorization: `Bearer ${gateway.adminToken}` } };
    assert.deepEqual(await inKit<Seen>(page, 'ask', `${gateway.url}/admin/v1/licenses`, init), BLOCKED);
    assert.equal((await inKit<Seen>(page, 'ask', `${gateway.url}/tiers`, {})).status, 200);
  });
});
