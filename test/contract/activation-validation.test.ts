import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { hardwareIds } from '../support/admin-calls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const ENDPOINTS = ['/activate', '/deactivate', '/check'];
const KEY = 'LIC-00000-00000-00000-00000-00000';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

interface Refusal {
  status: number;
  headers: Headers;
  error: string;
  code: string;
}

async function send(
  path: string,
  body: string | undefined,
  { method = 'POST', type = 'application/json' }: { method?: string; type?: string | null } = {},
): Promise<Refusal> {
  const answer = await fetch(gateway.url + path, {
    method,
    // A Buffer, since fetch gives a string a content type of its own.
    ...(body !== undefined && { body: Buffer.from(body) }),
    ...(type !== null && { headers: { 'content-type': type } }),
  });
  const { error, code } = (await answer.json()) as { error: string; code: string };
  return { status: answer.status, headers: answer.headers, error, code };
}

const wrongBodies: [body: unknown, names: RegExp][] = [
  [{}, /license_key: .*; hardware_id: /],
  [{ hardware_id: 'hw' }, /^license_key: /],
  [{ license_key: KEY }, /^hardware_id: /],
  [{ license_key: 1, hardware_id: 'hw' }, /^license_key: /],
  [{ license_key: null, hardware_id: 'hw' }, /^license_key: /],
  [{ license_key: 'x'.repeat(201), hardware_id: 'hw' }, /^license_key: /],
  [{ license_key: KEY, hardware_id: 7 }, /^hardware_id: /],
  [{ license_key: KEY, hardware_id: '' }, /^hardware_id: /],
  [{ license_key: KEY, hardware_id: ' \t ' }, /^hardware_id: /],
  [{ license_key: KEY, hardware_id: 'x'.repeat(256) }, /^hardware_id: /],
  [{ license_key: KEY, hardware_id: 'a\nb' }, /^hardware_id: must be printable/],
  [{ license_key: KEY, hardware_id: 'a\u0000b' }, /^hardware_id: must be printable/],
  [{ license_key: KEY, hardware_id: 'a\u2028b' }, /^hardware_id: must be printable/],
  [{ license_key: KEY, hardware_id: 'a\ud800b' }, /^hardware_id: must be printable/],
  [[], /array/],
];

for (const path of ENDPOINTS) {
  it(`${path} says which field is wrong`, async () => {
    for (const [body, names] of wrongBodies) {
      const refusal = await send(path, JSON.stringify(body));
      assert.deepEqual([refusal.status, refusal.code], [400, 'invalid_request'], JSON.stringify(body));
      assert.match(refusal.error, names);
    }
  });

  it(`${path} refuses what is no JSON, is too large, of another type or another method`, async () => {
    for (const body of ['', '{', '"text"', 'null', '{"license_key":"\u0007"}', undefined]) {
      const refusal = await send(path, body);
      assert.deepEqual([refusal.status, refusal.code], [400, 'invalid_request'], String(body));
    }
    const gzip = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const packed = await fetch(gateway.url + path, { method: 'POST', headers: gzip, body: 'no gzip' });
    assert.equal(packed.status, 415, await packed.text());
    const sized = (bytes: number): string => `{"pad":"${'x'.repeat(bytes - '{"pad":""}'.length)}"}`;
    assert.equal((await send(path, sized(65_536))).status, 400, '64 KiB are read');
    const tooLarge = await send(path, sized(65_537));
    assert.deepEqual(
      [tooLarge.status, tooLarge.code, tooLarge.error],
      [413, 'body_too_large', 'The request body is larger than 65536 bytes'],
    );
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', null]) {
      const refusal = await send(path, '{}', { type });
      assert.deepEqual([refusal.status, refusal.code], [415, 'unsupported_media_type'], String(type));
    }
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const refusal = await send(path, undefined, { method });
      assert.deepEqual([refusal.status, refusal.code], [405, 'method_not_allowed'], method);
      assert.equal(refusal.headers.get('allow'), 'POST');
    }
  });
}

it('a hardware id is 1 to 255 printable characters of any script, less the space around it', async () => {
  const { id, licenseKey } = await gateway.createLicense({ max_activations: -1 });
  const ids = [
    'x',
    'x'.repeat(255),
    '😀'.repeat(255),
    'Größe 42 · 日本',
    "'; DROP TABLE devices; --",
    '../%2e',
  ];
  for (const hardwareId of ids) await gateway.activate(licenseKey, `  ${hardwareId}\t`);
  assert.deepEqual(await hardwareIds(gateway, id), ids);
});
