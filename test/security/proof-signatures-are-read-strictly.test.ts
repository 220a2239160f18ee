import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { CHAT } from '../support/signing.ts';
import { stealKey, type StolenKey } from '../support/stolen-key.ts';

const MODELS = '/proxy/openai/v1/models';

describe('whoever plays with the signature of a device', () => {
  let stolen: StolenKey;
  before(async () => {
    stolen = await stealKey();
  });
  after(() => stolen.gateway.close());

  it('cannot leave out what has to be covered', async () => {
    for (const without of ['@method', '@path', 'content-digest'])
      await stolen.refused(stolen.ask(stolen.sign({ without })), new RegExp(`"${without}" is absent`));
    const target = `${CHAT}?a=b`;
    await stolen.refused(
      stolen.ask(stolen.sign({ target, without: '@query' }), { target }),
      /"@query" is absent/,
    );
    const heard = stolen.sign();
    const input = heard['signature-input']?.replace(' "content-digest"', '') ?? '';
    await stolen.refused(stolen.ask({ ...heard, 'signature-input': input }), /"content-digest" is absent/);
    const partial =
      heard['signature-input']?.replace('"content-digest"', '"content-digest";key="sha-256"') ?? '';
    await stolen.refused(stolen.ask({ ...heard, 'signature-input': partial }), /"content-digest" is absent/);
  });

  it('cannot send an overheard signature later, nor earlier, nor with another time', async () => {
    for (const apart of [-301, 301, -86_400, 86_400])
      await stolen.refused(
        stolen.ask(stolen.sign({ created: stolen.now + apart })),
        new RegExp(`off the server's time, ${stolen.now}`),
      );
    await stolen.refused(stolen.ask(stolen.sign({ further: `;expires=${stolen.now - 1}` })), /It expired at/);
    await stolen.refused(stolen.ask(stolen.sign({ further: `;expires=${stolen.now}` })), /It expired at/);
    const heard = stolen.sign({ created: stolen.now - 400 });
    const input = heard['signature-input']?.replace(/created=\d+/, `created=${stolen.now}`) ?? '';
    await stolen.refused(stolen.ask({ ...heard, 'signature-input': input }), /does not match/);
    const timeless = heard['signature-input']?.replace(/;created=\d+/, '') ?? '';
    await stolen.refused(stolen.ask({ ...heard, 'signature-input': timeless }), /created is absent/);
  });

  it('cannot choose the algorithm', async () => {
    for (const alg of ['hmac-sha256', 'none', 'rsa-v1_5-sha256', 'ecdsa-p256-sha256', 'ED25519', ''])
      await stolen.refused(stolen.ask(stolen.sign({ alg })), /lgorithm/);
    const heard = stolen.sign();
    const input = heard['signature-input']?.replace('alg="ed25519"', 'alg=ed25519') ?? '';
    await stolen.refused(stolen.ask({ ...heard, 'signature-input': input }), /alg must be a string/);
  });

  it('cannot confuse with several signatures, labels or parameters', async () => {
    const good = stolen.sign();
    const [input = '', signature = ''] = [good['signature-input'], good.signature];
    const forged = signature.replace(/:.*:/, `:${Buffer.alloc(64).toString('base64')}:`);
    const other = (text: string): string => text.replace('sig1', 'sig2');
    const tries: [string, string, RegExp][] = [
      [`${input}, ${other(input)}`, `${forged}, ${other(signature)}`, /exactly one signature/],
      [`${input}, ${input}`, `${forged}, ${signature}`, /duplicate labels/],
      [input, `${forged}, ${signature}`, /duplicate labels/],
      [input, other(signature), /label sets differ/],
      [input, `${signature}, sig2=:AAAA:`, /label sets differ/],
      [`${input};created=${stolen.now}`, signature, /duplicate parameters/],
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
      await stolen.refused(
        stolen.ask({ ...good, 'signature-input': signatureInput, signature: value }),
        says,
      );
    // Twice the same header is one list to HTTP.
    assert.equal((await stolen.ask(good)).status, 200, 'and the good one had not been used');
  });

  it('cannot bend the path by the Host header', async () => {
    const list = stolen.sign({ method: 'GET', target: MODELS, body: undefined });
    const { hostname, port } = new URL(stolen.gateway.url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const bent = http.request(
        {
          host: hostname,
          port,
          path: `${MODELS}/gpt-4o`,
          headers: { authorization: `Bearer ${stolen.device.proxyKey}`, ...list, host: `x${MODELS}?` },
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
});
