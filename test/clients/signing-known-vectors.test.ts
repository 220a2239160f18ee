import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readDeviceKey } from '../../clients/typescript/src/device-key.ts';
import { encoded, messageHeaders, stampOf } from '../../clients/typescript/src/signatures.ts';
import { project } from '../support/cli.ts';
import { requirePython } from '../support/python.ts';
import { runProgram } from '../support/run-program.ts';

const document = readFileSync(join(project, 'docs/signing.md'), 'utf8');
const body = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Grüß Gott"}]}';
const stamps = [
  ['openai', body, '98cee85184d183ece425998fb07ef69bfc20361c9efe47c98e485ff1338ae30d'],
  ['anthropic', '', '0a67e1f82c6b57b3f043513b4ff17e486a1f23a7f733f0761da59c920c83382f'],
] as const;
const proxyKey = 'px_0123456789abcdefghijABCDEFGHIJ0123456789';
const timestamp = '1764108632.318';
/** RFC 9421 §B.1.4. */
const jwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
  d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU',
};

/** The messages that the document signs, with its signatures. */
const messages = [
  ...document.matchAll(
    /"@method": (\w+)\n *"@path": (\S+)\n([^]*?)"@signature-params": (.*)\n[^=]*?\n *([\w+/]{86}==)\n/g,
  ),
].map(([, method = '', path = '', between = '', parameters = '', signature = '']) => {
  const digest = /"content-digest": (\S+)/.exec(between)?.[1];
  return {
    request: {
      method,
      target: path + (/"@query": (\S+)/.exec(between)?.[1] ?? ''),
      body: digest === undefined ? '' : body,
      created: Number(/;created=(\d+)/.exec(parameters)?.[1]),
      nonce: /;nonce="(\w+)"/.exec(parameters)?.[1] ?? '',
    },
    headers: {
      ...(digest !== undefined && { 'content-digest': digest }),
      'signature-input': `sig1=${parameters}`,
      signature: `sig1=:${signature}:`,
    },
  };
});

const script = `
import json, sys
from licensify.device_key import read_device_key
from licensify.signatures import message_headers, stamp_of
task = json.load(sys.stdin)
key = read_device_key(task["jwk"])
headers = []
for message in task["messages"]:
    message["body"] = message["body"].encode()
    headers.append({name.lower(): value for name, value in message_headers(key, **message).items()})
stamps = [stamp_of(task["key"], timestamp=task["timestamp"], provider=p, body=b.encode()) for p, b in task["stamps"]]
json.dump({"headers": headers, "stamps": stamps}, sys.stdout)
`;

async function inPython(test: TestContext): Promise<{ headers: object[]; stamps: string[] } | undefined> {
  const python = await requirePython(test);
  if (python === undefined) return undefined;
  const task = {
    jwk,
    messages: messages.map(({ request }) => request),
    key: proxyKey,
    timestamp,
    stamps: stamps.map(([provider, text]) => [provider, text]),
  };
  const { code, stdout, stderr } = await runProgram(python, ['-c', script], {
    input: JSON.stringify(task),
    env: { PYTHONPATH: join(project, 'clients/python'), PYTHONDONTWRITEBYTECODE: '1' },
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as { headers: object[]; stamps: string[] };
}

describe('the signatures of docs/signing.md are made to the byte', () => {
  it('by the TypeScript client', async () => {
    for (const [provider, text, signature] of stamps) {
      assert.ok(document.includes(signature));
      const made = await stampOf(proxyKey, { timestamp, provider, body: encoded(text) });
      assert.deepEqual(made, { timestamp, signature });
    }
    const key = readDeviceKey(jwk);
    assert.ok(key !== undefined);
    assert.equal(messages.length, 2);
    for (const { request, headers } of messages) {
      const made = await messageHeaders(key, { ...request, body: encoded(request.body) });
      assert.deepEqual(made, headers);
    }
  });

  it('by the Python client', async (t) => {
    const made = await inPython(t);
    if (made === undefined) return;
    assert.deepEqual(
      made.stamps,
      stamps.map(([, , signature]) => signature),
    );
    assert.deepEqual(
      made.headers,
      messages.map(({ headers }) => headers),
    );
  });
});
