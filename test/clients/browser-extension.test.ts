import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startBrowser, type Browser } from '../support/browser/chromium.ts';
import { inKit, visit } from '../support/browser/page.ts';
import { buildClient } from '../support/built-client.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const DEADLINE = { timeout: 90_000 };
const files = join(import.meta.dirname, '../support/browser/extension');

/** An unpacked extension whose id is known, since its manifest has a key: the id is made of the key's digest. */
async function unpack(folder: string): Promise<{ origin: string }> {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const digest = createHash('sha256').update(der).digest('hex').slice(0, 32);
  const id = Array.from(digest, (digit) => 'abcdefghijklmnop'[Number.parseInt(digit, 16)]).join('');
  cpSync(files, folder, { recursive: true });
  using client = await buildClient();
  cpSync(join(client.folder, 'dist'), join(folder, 'client'), { recursive: true });
  const manifest = {
    manifest_version: 3,
    name: 'A licensed extension',
    version: '1.0',
    key: der.toString('base64'),
    // No host permissions: those would free it from CORS, and a store's review asks for as few as can be.
    permissions: ['storage'],
    background: { service_worker: 'kit.js', type: 'module' },
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return { origin: `chrome-extension://${id}` };
}

describe(
  'an unpacked extension in Chromium, with the client as it is published and no bundler',
  DEADLINE,
  () => {
    const opened = new AsyncDisposableStack();
    let origin: string;
    let gateway: TestGateway;
    let browser: Browser;
    before(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'licensify-extension-'));
      opened.defer(() => rmSync(folder, { recursive: true, force: true }));
      ({ origin } = await unpack(folder));
      browser = opened.use(await startBrowser(folder));
      gateway = await startTestGateway({ counters: 'memory', env: { CORS_ORIGINS: origin } });
      opened.defer(() => gateway.close());
    }, DEADLINE);
    after(() => opened.disposeAsync());

    it('activates and streams in its page; its service worker goes on with the same key', async () => {
      const { licenseKey, id } = await gateway.createLicense({ max_activations: 1 });
      const page = await visit(browser.context, `${origin}/page.html`);
      const inPage = await inKit(page, 'speak', gateway.url, licenseKey);
      assert.deepEqual(inPage, { text: 'You said: Hello', remaining: 999, place: 'page' });
      const [worker] = browser.context.serviceWorkers();
      assert.ok(worker !== undefined, 'the extension has no service worker');
      const inWorker = await inKit(worker, 'speak', gateway.url);
      assert.deepEqual(inWorker, { text: 'You said: Hello', remaining: 998, place: 'worker' });

      const { body } = await gateway.admin(`/licenses/${id}`);
      const { license } = body as unknown as { license: { devices: unknown[] } };
      assert.equal(license.devices.length, 1);
      const preflights = gateway.logLines().filter(({ method }) => method === 'OPTIONS');
      assert.ok(preflights.length > 0, 'nothing was asked for before: this proves nothing about CORS');
    });

    it('of another id can read nothing', async () => {
      const strict = await startTestGateway({
        joins: gateway,
        env: { CORS_ORIGINS: 'chrome-extension://abcdefghijklmnopabcdefghijklmnop' },
      });
      try {
        const page = await visit(browser.context, `${origin}/page.html`);
        const failed = await inKit(page, 'tiers', strict.url);
        assert.deepEqual(failed, { name: 'UnavailableError', code: 'unreachable' });
      } finally {
        await strict.close();
      }
    });
  },
);
