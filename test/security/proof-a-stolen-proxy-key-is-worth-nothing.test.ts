import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestDevice, type TestGateway } from '../support/gateway.ts';
import {
  boundDevice,
  CHAT,
  contentDigest,
  newDeviceKey,
  send,
  sentenceOf,
  signingTiers,
  signMessage,
  stamp,
  stampHeaders,
  type TestKey,
  type Unsigned,
} from '../support/signing.ts';

const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}';
const MODELS = '/proxy/openai/v1/models';
const clock = new FakeClock('2026-11-25T12:00:00Z');
const created = clock.now() / 1_000;

describe('whoever has the proxy key of a device, but not its private key,', () => {
  let gateway: TestGateway;
  let key: TestKey;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory', clock });
    key = newDeviceKey();
    device = await boundDevice(gateway, key);
  });
  after(() => gateway.close());

  /** A good signature of the device, or one that deviates. */
  const sign = (options: Partial<Unsigned> = {}): Record<string, string> => ({
    ...signMessage({ key, body, created, ...options }),
  });
  const ask = (
    headers: Record<string, string>,
    options: { target?: string; method?: string; body?: string | undefined } = {},
  ): Promise<JsonAnswer> =>
    send(gateway, options.target ?? CHAT, {
      method: options.method ?? 'POST',
      headers: { authorization: `Bearer ${device.proxyKey}`, ...headers },
      body: 'body' in options ? options.body : body,
    });

  async function refused(answer: Promise<JsonAnswer>, says: RegExp): Promise<void> {
    const seen = gateway.simulator.requests.length;
    const { today } = await gateway.gateway.admission.used(device.licenseId);
    const { status, text } = await answer;
    assert.equal(status, 401, text);
    assert.match(sentenceOf(await answer), says);
    assert.equal(gateway.simulator.requests.length, seen, 'nothing of it reaches the provider');
    assert.equal((await gateway.gateway.admission.used(device.licenseId)).today, today, 'nothing is counted');
  }

  it('gets 401 for what is not signed, in a drop-in request and in an envelope', async () => {
    await refused(ask({}), /need the headers Signature-Input and Signature/);
    await refused(ask({}, { target: MODELS, method: 'GET', body: undefined }), /need the headers/);
    const envelope = `{"proxy_key":"${device.proxyKey}","provider":"openai","body":${body}}`;
    await refused(send(gateway, CHAT, { body: envelope }), /need the headers/);
    const { 'signature-input': input = '', signature = '' } = sign();
    await refused(ask({ 'signature-input': input }), /need the headers/);
    await refused(ask({ signature }), /need the headers/);
  });

  it('gets no further with an HMAC, which takes the proxy key alone', () =>
    refused(ask(stampHeaders(stamp(device.proxyKey, 'openai', body, String(created)))), /need the headers/));

  it('gets no further with a key of their own', async () => {
    const thief = newDeviceKey();
    await refused(ask(sign({ key: thief })), /keyid is not the public key/);
    await refused(ask(sign({ key: thief, keyid: key.id })), /does not match/);
  });

  it('gets no further with another device’s signature and key', async () => {
    const theirs = newDeviceKey();
    await boundDevice(gateway, theirs);
    await refused(ask(sign({ key: theirs })), /keyid is not the public key/);
  });

  it('cannot use a signature that was overheard for anything else', async () => {
    const heard = sign();
    await refused(ask(heard, { target: '/proxy/openai/v1/responses' }), /does not match/);
    await refused(ask(heard, { target: `${CHAT}?a=b` }), /"@query" is absent/);
    await refused(
      ask(heard, { body: body.replace('Hello', 'Hullo') }),
      /Content-Digest is not that of the body/,
    );
    const swapped = body.replace('Hello', 'Hullo');
    await refused(
      ask({ ...heard, 'content-digest': contentDigest(swapped) }, { body: swapped }),
      /does not match/,
    );
    await refused(ask(heard, { body: undefined }), /Content-Digest is not that of the body/);
    const list = sign({ method: 'GET', target: MODELS, body: undefined });
    await refused(
      ask(list, { target: `${MODELS}/gpt-4o`, method: 'GET', body: undefined }),
      /does not match/,
    );
    await refused(
      ask(list, { target: `${MODELS}?limit=1`, method: 'GET', body: undefined }),
      /"@query" is absent/,
    );
    await refused(ask(list, { target: `${MODELS}?`, method: 'GET', body: undefined }), /"@query" is absent/);
    const query = sign({ method: 'GET', target: `${MODELS}?limit=1`, body: undefined });
    await refused(
      ask(query, { target: `${MODELS}?limit=2`, method: 'GET', body: undefined }),
      /does not match/,
    );
  });

  it('cannot leave out what has to be covered', async () => {
    for (const without of ['@method', '@path', 'content-digest'])
      await refused(ask(sign({ without })), new RegExp(`"${without}" is absent`));
    const target = `${CHAT}?a=b`;
    await refused(ask(sign({ target, without: '@query' }), { target }), /"@query" is absent/);
    const heard = sign();
    const input = heard['signature-input']?.replace(' "content-digest"', '') ?? '';
    await refused(ask({ ...heard, 'signature-input': input }), /"content-digest" is absent/);
    const partial =
      heard['signature-input']?.replace('"content-digest"', '"content-digest";key="sha-256"') ?? '';
    await refused(ask({ ...heard, 'signature-input': partial }), /"content-digest" is absent/);
  });

  it('cannot send an overheard signature later, nor earlier, nor with another time', async () => {
    for (const apart of [-301, 301, -86_400, 86_400])
      await refused(ask(sign({ created: created + apart })), new RegExp(`off the server's time, ${created}`));
    await refused(ask(sign({ further: `;expires=${created - 1}` })), /It expired at/);
    await refused(ask(sign({ further: `;expires=${created}` })), /It expired at/);
    const heard = sign({ created: created - 400 });
    const input = heard['signature-input']?.replace(/created=\d+/, `created=${created}`) ?? '';
    await refused(ask({ ...heard, 'signature-input': input }), /does not match/);
    const timeless = heard['signature-input']?.replace(/;created=\d+/, '') ?? '';
    await refused(ask({ ...heard, 'signature-input': timeless }), /created is absent/);
  });

  it('cannot choose the algorithm', async () => {
    for (const alg of ['hmac-sha256', 'none', 'rsa-v1_5-sha256', 'ecdsa-p256-sha256', 'ED25519', ''])
      await refused(ask(sign({ alg })), /lgorithm/);
    const heard = sign();
    const input = heard['signature-input']?.replace('alg="ed25519"', 'alg=ed25519') ?? '';
    await refused(ask({ ...heard, 'signature-input': input }), /alg must be a string/);
  });

  it('cannot confuse with several signatures, labels or parameters', async () => {
    const good = sign();
    const [input = '', signature = ''] = [good['signature-input'], good.signature];
    const forged = signature.replace(/:.*:/, `:${Buffer.alloc(64).toString('base64')}:`);
    const other = (text: string): string => text.replace('sig1', 'sig2');
    const tries: [string, string, RegExp][] = [
      [`${input}, ${other(input)}`, `${forged}, ${other(signature)}`, /exactly one signature/],
      [`${input}, ${input}`, `${forged}, ${signature}`, /duplicate labels/],
      [input, `${forged}, ${signature}`, /duplicate labels/],
      [input, other(signature), /label sets differ/],
      [input, `${signature}, sig2=:AAAA:`, /label sets differ/],
      [`${input};created=${created}`, signature, /duplicate parameters/],
      [input, forged, /does not match/],
      [input, 'sig1=:AAAA:', /has 64 bytes/],
      [input, 'sig1="text"', /byte sequences/],
      [input, 'sig1', /byte sequences/],
      ['sig1', signature, /inner lists/],
      ['sig1=("@method"', signature, /Malformed/],
      [input.replace('"@method"', '"@method" "@method"'), signature, /Duplicate component/],
      [input.replace('"@method"', '"@method";req'), signature, /req requires/],
      [input.replace('"@method"', '"@unknown"'), signature, /Unknown derived component/],
      [input.replace('"@method"', '"@METHOD"'), signature, /lowercase/],
      [input.replace(/keyid="[^"]*"/, `keyid="${'x'.repeat(5_000)}"`), signature, /keyid is not/],
    ];
    for (const [signatureInput, value, says] of tries)
      await refused(ask({ ...good, 'signature-input': signatureInput, signature: value }), says);
    // Twice the same header is one list to HTTP.
    assert.equal((await ask(good)).status, 200, 'and the good one had not been used');
  });

  it('cannot bend the path by the Host header', async () => {
    const list = sign({ method: 'GET', target: MODELS, body: undefined });
    const { hostname, port } = new URL(gateway.url);
    const { request } = await import('node:http');
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const bent = request(
        {
          host: hostname,
          port,
          path: `${MODELS}/gpt-4o`,
          headers: { authorization: `Bearer ${device.proxyKey}`, ...list, host: `x${MODELS}?` },
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      bent.once('error', reject);
      bent.end();
    });
    assert.equal(status, 401);
  });

  it('cannot replay what the device sent', async () => {
    const heard = sign();
    assert.equal((await ask(heard)).status, 200);
    await refused(ask(heard), /has been used before/);
  });
});
