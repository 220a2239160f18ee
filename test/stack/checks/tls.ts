import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.ts';
import { CHAT_PATH } from '../../support/streams.ts';
import { figure } from '../figures.ts';
import type { World } from '../world.ts';
import { chat, sideBySide } from './requests.ts';

const PATIENCE = 30_000;

/** With a certificate: HTTPS with HTTP/2 and HTTP/1.1, and nothing in the clear any more. */
export async function tlsWorks({ stack, customers }: World): Promise<void> {
  const { devices } = await customers.add({ tier: 'enterprise' });
  const ca = await makeCertificate(join(stack.secrets, 'certificates'));
  await stack.compose(['up', '-d', '--no-deps', 'haproxy'], { TLS: 'on' });
  const refused = await eventually(async () => {
    const answer = await fetch(`${stack.url}/tiers`);
    assert.equal(answer.status, 403);
    return (await answer.json()) as { code: string };
  }, PATIENCE);
  figure('in the clear', `403 ${refused.code}`);
  assert.equal(refused.code, 'https_required');

  await eventually(async () => assert.equal(await statusOverHttp1(stack.httpsUrl, ca), 200), PATIENCE);
  const session = connect(stack.httpsUrl, { ca });
  await once(session, 'connect');
  figure('HTTPS: negotiated, with HTTP/1.1 too', session.alpnProtocol ?? '');
  assert.equal(session.alpnProtocol, 'h2');
  assert.deepEqual(await sideBySide(session, devices[0], 5), [200, 200, 200, 200, 200]);
  session.close();

  const { headers, body } = chat(devices[0]);
  assert.equal(await statusOverHttp1(stack.httpsUrl, ca, { path: CHAT_PATH, headers, body }), 200);
}

/** Self-signed; the PEM that HAProxy reads has the key behind the certificate. */
async function makeCertificate(folder: string): Promise<string> {
  const [key, certificate] = [join(folder, '..', 'tls-key.pem'), join(folder, '..', 'tls-certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    ...curve,
    ...subject,
    '-keyout',
    key,
    '-out',
    certificate,
  ]);
  const ca = readFileSync(certificate, 'utf8');
  writeFileSync(join(folder, 'licensify.pem'), ca + readFileSync(key, 'utf8'), { mode: 0o644 });
  return ca;
}

async function statusOverHttp1(
  url: string,
  ca: string,
  {
    path = '/tiers',
    headers = {},
    body,
  }: { path?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<number> {
  const sent = request(url + path, {
    ca,
    agent: false,
    method: body === undefined ? 'GET' : 'POST',
    headers,
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  await text(response);
  return response.statusCode ?? 0;
}
