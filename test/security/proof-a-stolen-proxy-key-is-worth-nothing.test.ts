import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  boundDevice,
  CHAT,
  contentDigest,
  newDeviceKey,
  send,
  stamp,
  stampHeaders,
} from '../support/signing.ts';
import { stealKey, type StolenKey } from '../support/stolen-key.ts';

const MODELS = '/proxy/openai/v1/models';

describe('whoever has the proxy key of a device, but not its private key,', () => {
  let stolen: StolenKey;
  before(async () => {
    stolen = await stealKey();
  });
  after(() => stolen.gateway.close());

  it('gets 401 for what is not signed, in a drop-in request and in an envelope', async () => {
    await stolen.refused(stolen.ask({}), /need the headers Signature-Input and Signature/);
    await stolen.refused(
      stolen.ask({}, { target: MODELS, method: 'GET', body: undefined }),
      /need the headers/,
    );
    const envelope = `{"proxy_key":"${stolen.device.proxyKey}","provider":"openai","body":${stolen.body}}`;
    await stolen.refused(send(stolen.gateway, CHAT, { body: envelope }), /need the headers/);
    const { 'signature-input': input = '', signature = '' } = stolen.sign();
    await stolen.refused(stolen.ask({ 'signature-input': input }), /need the headers/);
    await stolen.refused(stolen.ask({ signature }), /need the headers/);
  });

  it('gets no further with an HMAC, which takes the proxy key alone', () =>
    stolen.refused(
      stolen.ask(stampHeaders(stamp(stolen.device.proxyKey, 'openai', stolen.body, String(stolen.now)))),
      /need the headers/,
    ));

  it('gets no further with a key of their own', async () => {
    const thief = newDeviceKey();
    await stolen.refused(stolen.ask(stolen.sign({ key: thief })), /keyid is not the public key/);
    await stolen.refused(stolen.ask(stolen.sign({ key: thief, keyid: stolen.key.id })), /does not match/);
  });

  it('gets no further with another device’s signature and key', async () => {
    const theirs = newDeviceKey();
    await boundDevice(stolen.gateway, theirs);
    await stolen.refused(stolen.ask(stolen.sign({ key: theirs })), /keyid is not the public key/);
  });

  it('cannot use a signature that was overheard for anything else', async () => {
    const heard = stolen.sign();
    await stolen.refused(stolen.ask(heard, { target: '/proxy/openai/v1/responses' }), /does not match/);
    await stolen.refused(stolen.ask(heard, { target: `${CHAT}?a=b` }), /"@query" is absent/);
    await stolen.refused(
      stolen.ask(heard, { body: stolen.body.replace('Hello', 'Hullo') }),
      /Content-Digest is not that of the body/,
    );
    const swapped = stolen.body.replace('Hello', 'Hullo');
    await stolen.refused(
      stolen.ask({ ...heard, 'content-digest': contentDigest(swapped) }, { body: swapped }),
      /does not match/,
    );
    await stolen.refused(stolen.ask(heard, { body: undefined }), /Content-Digest is not that of the body/);
    const list = stolen.sign({ method: 'GET', target: MODELS, body: undefined });
    await stolen.refused(
      stolen.ask(list, { target: `${MODELS}/gpt-4o`, method: 'GET', body: undefined }),
      /does not match/,
    );
    await stolen.refused(
      stolen.ask(list, { target: `${MODELS}?limit=1`, method: 'GET', body: undefined }),
      /"@query" is absent/,
    );
    await stolen.refused(
      stolen.ask(list, { target: `${MODELS}?`, method: 'GET', body: undefined }),
      /"@query" is absent/,
    );
    const query = stolen.sign({ method: 'GET', target: `${MODELS}?limit=1`, body: undefined });
    await stolen.refused(
      stolen.ask(query, { target: `${MODELS}?limit=2`, method: 'GET', body: undefined }),
      /does not match/,
    );
  });

  it('cannot replay what the device sent', async () => {
    const heard = stolen.sign();
    assert.equal((await stolen.ask(heard)).status, 200);
    await stolen.refused(stolen.ask(heard), /has been used before/);
  });
});
