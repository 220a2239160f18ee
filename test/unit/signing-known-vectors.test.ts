import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestProblem } from '../../src/licensing/proofs/content-digest.ts';
import { verifyStamp } from '../../src/licensing/proofs/hmac-signature.ts';
import { verifyMessage } from '../../src/licensing/proofs/message-signature.ts';
import { parseDeviceKey, type DeviceKey } from '../../src/licensing/proofs/device-key.ts';
import { project } from '../support/cli.ts';

/** RFC 9421 §B.1.4, test-key-ed25519. */
const PUBLIC = 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs';
const PEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
`;
const document = readFileSync(join(project, 'docs/signing.md'), 'utf8');
const documentBody = Buffer.from(
  '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Grüß Gott"}]}',
);
const NOW = 1_764_108_632_000;

describe('signatures of known vectors', () => {
  it('RFC 9421 §B.2.6 verifies under the key of §B.1.4, and under that alone', async () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: PUBLIC };
    const rfcKey: DeviceKey = { id: 'test-key-ed25519', key: createPublicKey({ key: jwk, format: 'jwk' }) };
    // Its query is not covered by that signature, and we insist on it: so the request is taken without.
    const head = {
      method: 'POST',
      target: '/foo',
      host: 'example.com',
      rawHeaders: [
        ...[
          'Host',
          'example.com',
          'Date',
          'Tue, 20 Apr 2021 02:07:55 GMT',
          'Content-Type',
          'application/json',
        ],
        ...['Content-Length', '18'],
        'Signature-Input',
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
        'Signature',
        'sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:',
      ],
    };
    const options = { key: rfcKey, hasBody: false, now: 1_618_884_473_000 };
    assert.equal((await verifyMessage(head, options)).ok, true);
    assert.equal((await verifyMessage({ ...head, method: 'PUT' }, options)).ok, false);
    assert.equal((await verifyMessage({ ...head, host: 'example.org' }, options)).ok, false);
    const withQuery = await verifyMessage({ ...head, target: '/foo?param=Value&Pet=dog' }, options);
    assert.match(withQuery.ok ? '' : withQuery.problem, /"@query" is absent/);
  });

  it('the digests of RFC 9530 §B.1 and RFC 9421 §B.2 are those of their bodies', async () => {
    const sha256 = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:';
    const sha512 =
      'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:';
    assert.equal(await digestProblem(sha256, [Buffer.from('{"hello": "world"}\n')]), undefined);
    assert.equal(await digestProblem(sha512, [Buffer.from('{"hello": "world"}')]), undefined);
    assert.notEqual(await digestProblem(sha256, [Buffer.from('{"hello": "world"}')]), undefined);
  });

  it('the public key is the same however it is spelt', () => {
    const standard = PUBLIC.replaceAll('-', '+').replaceAll('_', '/');
    for (const text of [PUBLIC, standard, `${standard}=`, `${PUBLIC}=`, PEM]) {
      assert.equal(parseDeviceKey(text)?.id, PUBLIC, text);
    }
  });

  it('the HMAC vectors of the document are right', async () => {
    const proxyKey = 'px_0123456789abcdefghijABCDEFGHIJ0123456789';
    const timestamp = '1764108632.318';
    for (const [provider, body, signature] of [
      ['openai', documentBody, '98cee85184d183ece425998fb07ef69bfc20361c9efe47c98e485ff1338ae30d'],
      ['anthropic', Buffer.alloc(0), '0a67e1f82c6b57b3f043513b4ff17e486a1f23a7f733f0761da59c920c83382f'],
    ] as const) {
      for (const part of [proxyKey, timestamp, signature]) assert.ok(document.includes(part), part);
      const verdict = await verifyStamp(
        { stamp: { timestamp, signature }, provider, proxyKey, body: [body] },
        NOW,
      );
      assert.equal(verdict.ok, true, signature);
    }
    assert.ok(document.includes(documentBody.toString()));
  });

  it('the Ed25519 vectors of the document are right', async () => {
    const key = parseDeviceKey(PUBLIC);
    assert.ok(key !== undefined);
    const vectors = [
      ...document.matchAll(
        /"@method": (\w+)\n *"@path": (\S+)\n([^]*?)"@signature-params": (.*)\n[^=]*?\n *([\w+/]{86}==)\n/g,
      ),
    ];
    assert.equal(vectors.length, 2);
    for (const [, method = '', path = '', between = '', parameters = '', signature = ''] of vectors) {
      const query = /"@query": (\S+)/.exec(between)?.[1] ?? '';
      const digest = /"content-digest": (\S+)/.exec(between)?.[1];
      const rawHeaders = ['Signature-Input', `sig1=${parameters}`, 'Signature', `sig1=:${signature}:`];
      if (digest !== undefined) rawHeaders.push('Content-Digest', digest);
      const head = { method, target: path + query, host: 'localhost:8080', rawHeaders };
      const verdict = await verifyMessage(head, { key, hasBody: digest !== undefined, now: NOW });
      assert.deepEqual(verdict.ok ? '' : verdict.problem, '');
      if (digest !== undefined) assert.equal(await digestProblem(digest, [documentBody]), undefined);
    }
  });
});
