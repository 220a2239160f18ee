import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { after, before, it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { chatStatus } from '../support/proxy-call.ts';

interface Answer {
  encrypted_api_key: string;
  iv: string;
}

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

it('says what the license allows, and nothing else', async () => {
  const { licenseKey } = await gateway.createLicense({ name: 'Zoë Ω', expires_at: '2099-01-31T00:00:00Z' });
  const answer = await gateway.request('/activate', {
    body: { license_key: licenseKey, hardware_id: 'hw-1', timestamp: 1_700_000_000, unknown: { x: 1 } },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  const { encrypted_api_key: encrypted, iv, ...rest } = answer.body as unknown as Answer;
  assert.deepEqual(rest, {
    success: true,
    tier: 'pro',
    customer_name: 'Zoë Ω',
    expires_at: '2099-01-31T00:00:00.000Z',
    limits: { daily_limit: 1_000, monthly_limit: 30_000, max_activations: 3 },
  });
  assert.equal(Buffer.from(encrypted, 'base64').toString('base64'), encrypted);
  assert.equal(Buffer.from(iv, 'base64').length, 16);
});

it("has the license's own limits before its tier's, and null where it does not expire", async () => {
  const fields = { tier: 'free', daily_limit: -1, monthly_limit: 7, max_activations: 2 };
  const { licenseKey } = await gateway.createLicense(fields);
  const { body } = await gateway.request('/activate', {
    body: { license_key: licenseKey, hardware_id: 'hw-1' },
  });
  assert.deepEqual(body.limits, { daily_limit: -1, monthly_limit: 7, max_activations: 2 });
  assert.equal(body.expires_at, null);
});

it('encrypts the proxy key with AES-256-CBC and PKCS#7 under the first 32 bytes of the license key', async () => {
  const { licenseKey } = await gateway.createLicense();
  const answer = await gateway.request('/activate', {
    body: { license_key: licenseKey, hardware_id: 'hw-1' },
  });
  const { encrypted_api_key: encrypted, iv } = answer.body as unknown as Answer;
  const key = Buffer.from(licenseKey, 'utf8').subarray(0, 32);
  const decipher = createDecipheriv('aes-256-cbc', key, Buffer.from(iv, 'base64')).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(Buffer.from(encrypted, 'base64')), decipher.final()]);
  const padding = padded.at(-1) ?? 0;
  assert.deepEqual(padded.subarray(-padding), Buffer.alloc(padding, padding), 'PKCS#7');
  const proxyKey = padded.subarray(0, -padding).toString('utf8');
  rememberSecret(proxyKey);
  assert.ok(/^px_[0-9A-Za-z]{40}$/.test(proxyKey), 'it is a proxy key');
  assert.equal(await chatStatus(gateway, proxyKey), 200);
});

it('takes fresh random bytes as the vector each time', async () => {
  const { licenseKey } = await gateway.createLicense();
  const body = { license_key: licenseKey, hardware_id: 'hw-1' };
  const vectors = new Set<string>();
  for (let round = 0; round < 10; round += 1) {
    const answer = await gateway.request('/activate', { body });
    vectors.add((answer.body as unknown as Answer).iv);
  }
  assert.equal(vectors.size, 10);
});

it('can be decrypted with the license key as its owner typed it', async () => {
  const { licenseKey } = await gateway.createLicense();
  const typed = licenseKey.toLowerCase().replaceAll('0', 'o');
  rememberSecret(typed);
  const proxyKey = await gateway.activate(typed, 'hw-1');
  assert.equal(await chatStatus(gateway, proxyKey), 200);
});
