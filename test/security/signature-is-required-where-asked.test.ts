import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';
import { CHAT, send, sentenceOf, signingTiers, stamp, stampHeaders } from '../support/signing.ts';

const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Grüß Gott"}]}';

describe('where a tier asks for signatures', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory' });
  });
  after(() => gateway.close());

  const used = async (licenseId: string): Promise<number> =>
    (await gateway.gateway.admission.used(licenseId)).today;
  const envelope = (proxyKey: string, more = ''): string =>
    `{"proxy_key":"${proxyKey}","provider":"openai"${more},"body":${body}}`;

  it('an unsigned request is 401, reaches no provider and counts nothing', async () => {
    const device = await gateway.device({ tier: 'signed' });
    const seen = gateway.simulator.requests.length;
    const dropIn = await chat(gateway, device.proxyKey);
    const enveloped = await send(gateway, CHAT, { body: envelope(device.proxyKey) });
    const list = await send(gateway, '/proxy/openai/v1/models', {
      headers: { authorization: `Bearer ${device.proxyKey}` },
    });
    for (const answer of [dropIn, enveloped, list]) {
      assert.equal(answer.status, 401);
      assert.match(sentenceOf(answer), /^Invalid signature\. .*signature is missing$/);
      assert.equal(answer.headers.get('x-ratelimit-limit'), null, 'nobody has proven whose request it is');
    }
    assert.equal((enveloped.body as { code?: string }).code, 'invalid_signature');
    assert.equal(gateway.simulator.requests.length, seen);
    assert.equal(await used(device.licenseId), 0);
  });

  it('a signed drop-in request is served, its body arriving as it was sent', async () => {
    const device = await gateway.device({ tier: 'signed' });
    const headers = {
      authorization: `Bearer ${device.proxyKey}`,
      ...stampHeaders(stamp(device.proxyKey, 'openai', body)),
    };
    const answer = await send(gateway, CHAT, { headers, body });
    assert.equal(answer.status, 200, answer.text);
    const received = gateway.simulator.requests.at(-1);
    assert.equal(received?.body.toString(), body);
    assert.equal(await used(device.licenseId), 1);
  });

  it('a signed request without a body is served', async () => {
    const device = await gateway.device({ tier: 'signed' });
    const headers = {
      'x-api-key': device.proxyKey,
      ...stampHeaders(stamp(device.proxyKey, 'anthropic', '')),
    };
    assert.equal((await send(gateway, '/proxy/anthropic/v1/models', { headers })).status, 200);
  });

  it('a signed envelope is served, the signature being over its body as it stands there', async () => {
    const device = await gateway.device({ tier: 'signed' });
    const odd = ' { "model" : "gpt-4o",\n"messages":[], "seed": 12345678901234567890 , "n":1e0}';
    const second = Math.floor(Date.now() / 1_000);
    // As a string, as a number, and with a fraction.
    for (const [text, written] of [
      [`${second}`, `"${second}"`],
      [`${second}.25`, `${second}.25`],
      [`${second}.250`, `"${second}.250"`],
    ] as const) {
      const { signature } = stamp(device.proxyKey, 'openai', odd.trim(), text);
      const sent = `{"signature":"${signature}","proxy_key":"${device.proxyKey}","provider":"openai","timestamp":${written},"body":${odd}}`;
      const answer = await send(gateway, CHAT, { body: sent });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(gateway.simulator.requests.at(-1)?.body.toString(), odd.trim());
    }
  });

  it('the license and the device are looked at first', async () => {
    const device = await gateway.device({ tier: 'signed' });
    const elsewhere = await send(gateway, CHAT, {
      body: envelope(device.proxyKey, ',"hardware_id":"another"'),
    });
    assert.equal(elsewhere.status, 403);
    await gateway.admin(`/licenses/${device.licenseId}/suspend`, { method: 'POST' });
    const suspended = await chat(gateway, device.proxyKey);
    assert.equal(suspended.status, 403, suspended.text);
  });

  it('a quota that is used up is told after the signature', async () => {
    const device = await gateway.device({ tier: 'signed', daily_limit: 0 });
    assert.equal((await chat(gateway, device.proxyKey)).status, 401);
    const headers = {
      authorization: `Bearer ${device.proxyKey}`,
      ...stampHeaders(stamp(device.proxyKey, 'openai', body)),
    };
    assert.equal((await send(gateway, CHAT, { headers, body })).status, 429);
  });

  it('other tiers ask for nothing, but what is signed there is verified', async () => {
    const device = await gateway.device({ tier: 'pro' });
    assert.equal((await chat(gateway, device.proxyKey)).status, 200);
    const authorization = `Bearer ${device.proxyKey}`;
    const good = stampHeaders(stamp(device.proxyKey, 'openai', body));
    assert.equal((await send(gateway, CHAT, { headers: { authorization, ...good }, body })).status, 200);
    const forged = { ...stampHeaders(stamp('px_other', 'openai', body)) };
    assert.equal((await send(gateway, CHAT, { headers: { authorization, ...forged }, body })).status, 401);
    // A time alone is no signature: /activate has one too.
    const withTime = await send(gateway, CHAT, { body: envelope(device.proxyKey, ',"timestamp":{"a":1}') });
    assert.equal(withTime.status, 200, withTime.text);
    const withNull = await send(gateway, CHAT, { body: envelope(device.proxyKey, ',"signature":null') });
    assert.equal(withNull.status, 200);
    const withOther = await send(gateway, CHAT, { body: envelope(device.proxyKey, ',"signature":5') });
    assert.equal(withOther.status, 401);
    // A signature of somebody else's making, of a device that has no key: RFC 9421 is used by proxies as well.
    const message = { 'signature-input': 'a=("@method");created=1', signature: 'a=:AAAA:' };
    assert.equal((await chat(gateway, device.proxyKey, message)).status, 200);
  });

  it('the activation says what has to be signed', async () => {
    for (const [tier, signing] of [
      ['signed', 'hmac-sha256'],
      ['pro', undefined],
    ] as const) {
      const { licenseKey } = await gateway.createLicense({ tier });
      const answer = await gateway.request('/activate', {
        body: { license_key: licenseKey, hardware_id: 'hw' },
      });
      assert.equal((answer.body as { signing?: string }).signing, signing);
    }
  });
});

it('REQUIRE_SIGNATURE asks for signatures on every tier', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory', env: { REQUIRE_SIGNATURE: 'true' } });
  t.after(() => gateway.close());
  const device = await gateway.device({ tier: 'enterprise' });
  assert.equal((await chat(gateway, device.proxyKey)).status, 401);
  const headers = {
    authorization: `Bearer ${device.proxyKey}`,
    ...stampHeaders(stamp(device.proxyKey, 'openai', body)),
  };
  assert.equal((await send(gateway, CHAT, { headers, body })).status, 200);
});
