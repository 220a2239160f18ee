import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { startTestGateway, type JsonAnswer, type TestDevice, type TestGateway } from '../support/gateway.ts';

// Contract §4: provider known → path allowed → key → license → device → provider configured → quota, so that nothing that
// is refused costs the customer a request.
let gateway: TestGateway;
let usedUp: TestDevice;
before(async () => {
  gateway = await startTestGateway({ counters: 'memory', env: { ANTHROPIC_API_KEY: undefined } });
  usedUp = await gateway.device({ daily_limit: 1 });
});
after(() => gateway.close());

const UNKNOWN_KEY = 'px_0000000000000000000000000000000000000000';

interface Wrong {
  provider?: string;
  path?: string;
  proxyKey?: string;
  hardwareId?: string;
}

/** An envelope of the license whose quota is used up, with so much else wrong as is named. */
function ask({ provider = 'openai', path, proxyKey, hardwareId }: Wrong): Promise<JsonAnswer> {
  const allowed = provider === 'anthropic' ? '/v1/messages' : '/v1/chat/completions';
  const body = {
    proxy_key: proxyKey ?? usedUp.proxyKey,
    provider,
    hardware_id: hardwareId ?? usedUp.hardwareId,
    body: { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] },
  };
  return gateway.request(`/proxy/${provider}${path ?? allowed}`, { body });
}

function codeOf({ body }: JsonAnswer): string {
  const { error, code } = body as unknown as { error: string | { code: string }; code?: string };
  return typeof error === 'string' ? (code ?? '') : error.code;
}

it('of several things that are wrong with a request the first one is told', async () => {
  assert.equal((await ask({})).status, 200);
  const used = gateway.simulator.requests.length;
  const mends: [string, Wrong][] = [
    [
      'unknown_provider',
      { provider: 'gemini', path: '/v1/files', proxyKey: UNKNOWN_KEY, hardwareId: 'another' },
    ],
    [
      'path_not_allowed',
      { provider: 'anthropic', path: '/v1/files', proxyKey: UNKNOWN_KEY, hardwareId: 'another' },
    ],
    ['invalid_proxy_key', { provider: 'anthropic', proxyKey: UNKNOWN_KEY, hardwareId: 'another' }],
    ['license_suspended', { provider: 'anthropic', hardwareId: 'another' }],
    ['hardware_not_activated', { provider: 'anthropic', hardwareId: 'another' }],
    ['provider_not_configured', { provider: 'anthropic' }],
    ['rate_limit_exceeded', {}],
  ];
  const change = (verb: string): Promise<JsonAnswer> =>
    gateway.admin(`/licenses/${usedUp.licenseId}/${verb}`, { method: 'POST' });
  await change('suspend');
  for (const [code, wrong] of mends) {
    assert.equal(codeOf(await ask(wrong)), code);
    if (code === 'license_suspended') await change('reinstate');
  }
  assert.equal(gateway.simulator.requests.length, used, 'no provider was asked');
  const { body } = await gateway.admin(`/licenses/${usedUp.licenseId}`);
  const { license } = body as unknown as { license: { usage: { today: number } } };
  assert.equal(license.usage.today, 1, 'nothing that was refused is counted');
});
