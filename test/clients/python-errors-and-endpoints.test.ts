import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CHAT, CHAT_AT, ClientDevice, simulated } from '../support/client-stage.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { PythonClient } from '../support/python-client.ts';
import { refusingUrl } from '../support/sdk-stage.ts';

const CALL = ['openai', CHAT_AT, CHAT];

describe('what goes wrong has a type in Python too', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', clock: new FakeClock('2026-11-22T12:00:00Z') });
  });
  after(() => gateway.close());

  it('a used-up limit, with the wait; and quota is what the last answer said', async (t) => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({ daily_limit: 1 });
    await using python = await PythonClient.start(t, device, { license_key: licenseKey });
    if (python === undefined) return;
    await python.do('call', CALL);
    assert.deepEqual((await python.do('quota')).result, {
      limit: 1,
      remaining: 0,
      reset_at: '2026-11-23T00:00:00+00:00',
    });
    const { error } = await python.do('call', CALL);
    assert.deepEqual([error?.type, error?.status, error?.code], ['QuotaError', 429, 'rate_limit_exceeded']);
    assert.equal(error?.message, 'Daily limit of 1 requests exceeded. Current usage: 1');
    assert.equal(error.retry_after, 43_200);
  });

  it("a revoked license; an unknown one; a full one; a provider's refusal; a path that is closed", async (t) => {
    using device = new ClientDevice(gateway);
    const { licenseKey, id } = await gateway.createLicense({ max_activations: 1 });
    await using python = await PythonClient.start(t, device, { license_key: licenseKey });
    if (python === undefined) return;
    const failed = async (method: string, args: unknown[], kwargs = {}): Promise<unknown[]> => {
      const { error } = await python.do(method, args, kwargs);
      return [error?.type, error?.status, error?.code];
    };
    assert.equal((await python.do('call', CALL)).error, undefined);
    assert.deepEqual(await failed('call', CALL, simulated('status=429')), [
      'ProviderError',
      429,
      'rate_limit_exceeded',
    ]);
    assert.deepEqual((await failed('call', CALL, simulated('status=503, retry-after=0'))).slice(0, 2), [
      'ProviderError',
      503,
    ]);
    assert.deepEqual(await failed('call', CALL, simulated('die=before-headers')), [
      'UnavailableError',
      502,
      'upstream_unreachable',
    ]);
    assert.deepEqual(await failed('call', ['openai', 'v1/files', {}]), [
      'LicensifyError',
      403,
      'path_not_allowed',
    ]);
    assert.deepEqual(await failed('activate', [licenseKey, 'hw-other']), [
      'DeviceError',
      403,
      'device_limit_reached',
    ]);
    assert.deepEqual(await failed('activate', ['LIC-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA']), [
      'LicenseError',
      401,
      'invalid_license_key',
    ]);
    await gateway.admin(`/licenses/${id}/revoke`, { method: 'POST' });
    assert.deepEqual(await failed('call', CALL), ['LicenseError', 401, 'invalid_license_key']);
  });

  it('a gateway that cannot be reached, and a URL that would send keys in the clear', async (t) => {
    using device = new ClientDevice({ url: await refusingUrl() });
    await using python = await PythonClient.start(t, device);
    if (python === undefined) return;
    const { error } = await python.do('activate', ['LIC-x']);
    assert.deepEqual([error?.type, error?.status, error?.code], ['UnavailableError', 0, 'unreachable']);
    assert.match(error?.message ?? '', /cannot be reached \(.*refused/);
    const clear = await python.make(device, { url: 'http://licenses.example.com' });
    assert.match(clear.error?.message ?? '', /keys in the clear: use https/);
    assert.equal((await python.make(device, { url: 'https://licenses.example.com/' })).error, undefined);
  });

  it('check, tiers, deactivate, and what the SDKs are given', async (t) => {
    using device = new ClientDevice(gateway);
    const { licenseKey } = await gateway.createLicense({
      daily_limit: 5,
      expires_at: '2026-12-31T00:00:00Z',
    });
    await using python = await PythonClient.start(t, device, { license_key: licenseKey });
    if (python === undefined) return;
    assert.deepEqual((await python.do('check')).result, {
      valid: true,
      reason: null,
      tier: 'pro',
      expires_at: '2026-12-31T00:00:00+00:00',
      usage_today: 0,
      daily_limit: 5,
      usage_this_month: 0,
      monthly_limit: 30_000,
      reset_at: '2026-11-23T00:00:00+00:00',
    });
    const { result: tiers } = await python.do('tiers');
    assert.deepEqual(
      (tiers as { id: string; daily_limit: number | null }[]).map(({ id, daily_limit }) => [id, daily_limit]),
      [
        ['free', 10],
        ['pro', 1_000],
        ['enterprise', null],
      ],
    );
    const { proxy_key: apiKey } = device.kept();
    for (const [method, path] of [
      ['openai_kwargs', 'openai/v1'],
      ['anthropic_kwargs', 'anthropic'],
    ] as const) {
      const result = (await python.do(method)).result as { base_url: string; api_key: string };
      assert.equal(result.base_url, `${gateway.url}/proxy/${path}`);
      assert.ok(result.api_key === apiKey);
    }
    await python.do('deactivate');
    assert.equal(device.isKept(), false);
  });
});
