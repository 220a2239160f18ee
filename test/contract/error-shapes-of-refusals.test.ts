import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { askProvider, assertErrorShape, SHAPES, type Shape } from '../support/error-shapes.ts';

const UNKNOWN_KEY = 'px_0000000000000000000000000000000000000000';

interface Devices {
  active: TestDevice;
  dayUsedUp: TestDevice;
  monthUsedUp: TestDevice;
  suspended: TestDevice;
  expired: TestDevice;
}

const atOpenAI: Shape[] = ['openai', 'envelope'];

const rows: {
  code: string;
  status: number;
  message: string | RegExp;
  shapes: readonly Shape[];
  /** Whose key is sent; by default one that may do everything. */
  who?: keyof Devices;
  ask?: Partial<Parameters<typeof askProvider>[2]>;
}[] = [
  {
    code: 'invalid_proxy_key',
    status: 401,
    message: 'Invalid proxy key: activate the license on this device to get a new one',
    shapes: SHAPES,
    ask: { proxyKey: UNKNOWN_KEY },
  },
  {
    code: 'license_suspended',
    status: 403,
    message: 'The license is suspended',
    shapes: SHAPES,
    who: 'suspended',
  },
  {
    code: 'license_expired',
    status: 403,
    message: 'The license has expired',
    shapes: SHAPES,
    who: 'expired',
  },
  {
    code: 'hardware_not_activated',
    status: 403,
    message: 'Hardware ID not activated for this license',
    shapes: ['envelope'],
    ask: { hardwareId: 'another device' },
  },
  {
    code: 'provider_mismatch',
    status: 400,
    message: /"anthropic".*"openai"/,
    shapes: ['envelope'],
    ask: { envelopeSays: 'anthropic' },
  },
  {
    code: 'path_not_allowed',
    status: 403,
    message: 'POST /v1/files is not open to proxy keys',
    shapes: SHAPES,
    ask: { path: '/v1/files' },
  },
  {
    code: 'provider_not_configured',
    status: 503,
    message: 'Anthropic API key not configured',
    shapes: ['anthropic'],
  },
  {
    code: 'rate_limit_exceeded',
    status: 429,
    message: 'Daily limit of 1 requests exceeded. Current usage: 1',
    shapes: atOpenAI,
    who: 'dayUsedUp',
  },
  {
    code: 'monthly_limit_exceeded',
    status: 429,
    message: 'Monthly limit of 1 requests exceeded. Current usage: 1',
    shapes: atOpenAI,
    who: 'monthUsedUp',
  },
  {
    code: 'unsupported_media_type',
    status: 415,
    message: /application\/json/,
    shapes: ['envelope'],
    ask: { contentType: 'text/plain' },
  },
  {
    code: 'invalid_request',
    status: 400,
    message: /Found "o" where .* was expected, at byte 0/,
    shapes: ['envelope'],
    ask: { rawBody: 'oh' },
  },
  {
    code: 'invalid_request',
    status: 400,
    message: 'The request holds two different proxy keys',
    shapes: ['openai'],
    ask: { headers: { 'x-api-key': UNKNOWN_KEY } },
  },
  {
    code: 'invalid_request',
    status: 400,
    message: 'The request holds two different proxy keys',
    shapes: ['anthropic'],
    ask: { headers: { authorization: `Bearer ${UNKNOWN_KEY}` } },
  },
  {
    code: 'length_required',
    status: 411,
    message: 'A GET request with a body needs a Content-Length',
    shapes: ['openai', 'anthropic'],
    ask: { method: 'GET', chunked: true },
  },
];

async function makeDevices(gateway: TestGateway): Promise<Devices> {
  const devices = {
    active: await gateway.device(),
    dayUsedUp: await gateway.device({ daily_limit: 1 }),
    monthUsedUp: await gateway.device({ daily_limit: 5, monthly_limit: 1 }),
    suspended: await gateway.device(),
    expired: await gateway.device(),
  };
  for (const { proxyKey } of [devices.dayUsedUp, devices.monthUsedUp]) {
    assert.equal((await askProvider(gateway, 'openai', { proxyKey })).status, 200);
  }
  await gateway.admin(`/licenses/${devices.suspended.licenseId}/suspend`, { method: 'POST' });
  const change = { method: 'PATCH', body: { expires_at: '2020-01-01T00:00:00Z' } };
  await gateway.admin(`/licenses/${devices.expired.licenseId}`, change);
  return devices;
}

describe('a refusal before the provider is asked has the shape that its reader expects', () => {
  let gateway: TestGateway;
  let devices: Devices;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', env: { ANTHROPIC_API_KEY: undefined } });
    devices = await makeDevices(gateway);
  });
  after(async () => {
    assert.equal(gateway.simulator.requests.length, 2, 'only the two requests that used the limits up');
    await gateway.close();
  });

  for (const { code, status, message, shapes, who = 'active', ask } of rows) {
    for (const shape of shapes) {
      it(`${code}, ${shape}`, async () => {
        const answer = await askProvider(gateway, shape, { proxyKey: devices[who].proxyKey, ...ask });
        assertErrorShape(answer, shape, { code, status, message });
        const isQuota = status === 429;
        assert.equal(answer.headers.get('x-should-retry'), isQuota ? 'false' : null);
        assert.equal(Number(answer.headers.get('retry-after') ?? 0) > 0, isQuota);
      });
    }
  }
});
