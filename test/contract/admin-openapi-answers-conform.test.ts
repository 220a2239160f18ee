import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { adminBody } from '../support/admin-calls.ts';
import { startTestGateway, type AdminOptions, type TestGateway } from '../support/gateway.ts';
import { adminDocument, operationOf } from '../support/openapi.ts';
import { newMasterKey, newOpenAiKey, setKey } from '../support/provider-admin.ts';
import { rememberSecret } from '../support/output.ts';
import { addWebhook, receiverSettings } from '../support/webhook-receiver.ts';

let gateway: TestGateway;

/** What a call is made with. */
interface Prepared {
  path: string;
  body?: unknown;
}

async function onLicense(suffix = '', body?: unknown): Promise<Prepared> {
  const { licenseId } = await gateway.device();
  return { path: `/licenses/${licenseId}${suffix}`, body };
}

async function newToken(): Promise<string> {
  const made = await gateway.admin('/tokens', { body: { name: 'somebody', role: 'read' } });
  const { token, admin_token: secret } = made.body as unknown as {
    token: { id: string };
    admin_token: string;
  };
  rememberSecret(secret);
  return token.id;
}

/** A webhook; its test event can be sent again, wherever it came to. */
async function newWebhook(): Promise<string> {
  const { id } = await addWebhook(gateway, { url: 'http://127.0.0.1:9/hook' });
  return id;
}

async function newDelivery(): Promise<string> {
  const sent = await gateway.admin(`/webhooks/${await newWebhook()}/test`, { method: 'POST' });
  return (sent.body as unknown as { delivery: { id: string } }).delivery.id;
}

/** For each operation of the document, a request that succeeds. */
const calls: Record<string, () => Promise<Prepared>> = {
  createLicense: () =>
    Promise.resolve({
      path: '/licenses',
      body: { email: 'a@example.com', name: 'A', tier: 'pro', expires_at: '2099-01-01T00:00:00Z' },
    }),
  listLicenses: () => Promise.resolve({ path: '/licenses?status=active' }),
  showLicense: () => onLicense(),
  updateLicense: () => onLicense('', { daily_limit: 5, expires_at: null }),
  suspendLicense: () => onLicense('/suspend'),
  reinstateLicense: () => onLicense('/reinstate'),
  revokeLicense: () => onLicense('/revoke'),
  reissueLicense: () => onLicense('/reissue'),
  revokeKeys: () => onLicense('/keys/revoke', { grace_seconds: 60 }),
  listUsage: () => Promise.resolve({ path: '/usage?group_by=day,license,provider,model' }),
  listDevices: () => onLicense('/devices'),
  removeDevice: () => onLicense('/devices/hw-test'),
  listAudit: () => Promise.resolve({ path: '/audit' }),
  createToken: () => Promise.resolve({ path: '/tokens', body: { name: 'Bo', role: 'support' } }),
  listTokens: () => Promise.resolve({ path: '/tokens' }),
  listWebhooks: () => Promise.resolve({ path: '/webhooks' }),
  createWebhook: () => Promise.resolve({ path: '/webhooks', body: { url: 'http://127.0.0.1:9/hook' } }),
  getWebhook: async () => ({ path: `/webhooks/${await newWebhook()}` }),
  updateWebhook: async () => ({ path: `/webhooks/${await newWebhook()}`, body: { enabled: false } }),
  deleteWebhook: async () => ({ path: `/webhooks/${await newWebhook()}` }),
  rotateWebhookSecret: async () => ({ path: `/webhooks/${await newWebhook()}/rotate-secret` }),
  testWebhook: async () => ({ path: `/webhooks/${await newWebhook()}/test` }),
  listWebhookDeliveries: () => Promise.resolve({ path: '/webhooks/deliveries?status=failed' }),
  resendWebhookDelivery: async () => ({ path: `/webhooks/deliveries/${await newDelivery()}/resend` }),
  listProviders: () => Promise.resolve({ path: '/providers' }),
  setProviderKey: () => Promise.resolve({ path: '/providers/openai/key', body: { key: newOpenAiKey() } }),
  removeProviderKey: async () => {
    await setKey(gateway, newOpenAiKey());
    return { path: '/providers/openai/key' };
  },
  rotateMasterKey: () => Promise.resolve({ path: '/master-key/rotate' }),
  listTiers: () => Promise.resolve({ path: '/tiers' }),
  migrateTier: () => Promise.resolve({ path: '/tiers/free/migrate', body: { to: 'pro', dry_run: true } }),
  showConnection: () => Promise.resolve({ path: '/connection' }),
  revokeToken: async () => ({ path: `/tokens/${await newToken()}/revoke` }),
};

const operations = Object.entries(adminDocument.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

it('each operation of the document has a call here', () => {
  assert.deepEqual(
    Object.keys(calls).sort(),
    operations.map(({ operation }) => operation.operationId).sort(),
  );
});

// What the drivers of the two databases return is not always the same.
for (const database of ['postgres', 'embedded'] as const) {
  describe(`on ${database}`, () => {
    before(async () => {
      const env = { ...receiverSettings, MASTER_KEY: newMasterKey() };
      gateway = await startTestGateway({ counters: 'memory', database, env });
    });
    after(() => gateway.close());

    for (const { path, method, operation } of operations) {
      // Every answer to `gateway.admin` is checked against the document (test/support/openapi.ts).
      const ask = (target: string, options: AdminOptions = {}): ReturnType<TestGateway['admin']> =>
        gateway.admin(target, { method: method.toUpperCase(), ...options });

      it(`${operation.operationId} answers success, and each of its errors, as the document says`, async () => {
        const prepared = await calls[operation.operationId]?.();
        assert.ok(prepared);
        const { body } = prepared;
        assert.equal(operationOf(method, `/admin/v1${prepared.path}`), operation);
        const done = await ask(prepared.path, { body });
        assert.ok(done.status < 300, done.text);
        const made = done.body as { admin_token?: string; secret?: string };
        for (const secret of [adminBody(done).license_key, made.admin_token, made.secret]) {
          if (secret !== undefined) rememberSecret(secret);
        }

        assert.equal((await ask(prepared.path, { body, token: 'wrong' })).status, 401);
        assert.equal((await ask(`${prepared.path.split('?')[0] ?? ''}?nothing=1`, { body })).status, 400);
        const nowhere = path.replace('/admin/v1', '').replaceAll(/\{\w+\}/g, 'nothing');
        if (path.includes('{')) assert.equal((await ask(nowhere, { body })).status, 404);
        if (operation.responses[412] !== undefined) {
          const stale = await ask((await onLicense()).path + prepared.path.replace(/^\/licenses\/\w+/, ''), {
            ...{ body, headers: { 'if-match': '"v999"' } },
          });
          assert.deepEqual([stale.status, adminBody(stale).code], [412, 'precondition_failed']);
        }
        if (operation.responses[415] !== undefined) {
          const text = await ask(prepared.path, { body: 'x', headers: { 'content-type': 'text/plain' } });
          assert.equal(text.status, 415);
          const large = await ask(prepared.path, { body: { name: 'x'.repeat(70_000) } });
          assert.equal(large.status, 413);
        }
      });
    }
  });
}
