import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { rawPost, rawRequest } from '../support/raw-http.ts';
import { assertOwnError, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const ENDPOINTS = ['/activate', '/deactivate', '/check'];

describe('the license endpoints refuse bad bodies with a sentence, and never with 500', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  async function assertRefused(body: string | Buffer, name: string, headers = [JSON_TYPE]): Promise<void> {
    for (const path of ENDPOINTS) {
      const answer = await stage.ask(rawPost(path, headers, body));
      assertOwnError(answer, `${path}: ${name}`, 400, 'invalid_request');
    }
  }

  const hardware = '"hardware_id":"hw-test"';
  const bodies: Record<string, string | Buffer> = {
    'no object': '[]',
    'a string': '"license_key"',
    'half of it': '{"license_key":"LIC-',
    'text behind it': `{"license_key":"a",${hardware}}x`,
    'a byte order mark alone': '\ufeff',
    'bytes that are no UTF-8': Buffer.from(`{"license_key":"\xff"`, 'latin1'),
    'nesting 10,000 deep': `{"license_key":${'['.repeat(10_000)}${']'.repeat(10_000)},${hardware}}`,
    'no key': `{${hardware}}`,
    'a key that is a number': `{"license_key":1,${hardware}}`,
    'a key that is an object': `{"license_key":{"toString":"a"},${hardware}}`,
    'a key beyond all bounds': `{"license_key":"${'A'.repeat(10_000)}",${hardware}}`,
    'no hardware id': '{"license_key":"LIC-A"}',
    'an empty hardware id': '{"license_key":"LIC-A","hardware_id":"  "}',
    'a hardware id of 256 characters': `{"license_key":"LIC-A","hardware_id":"${'a'.repeat(256)}"}`,
    'a NUL in the hardware id': '{"license_key":"LIC-A","hardware_id":"a\\u0000b"}',
    'a line break in the hardware id': '{"license_key":"LIC-A","hardware_id":"a\\nb"}',
    'a lone surrogate in the hardware id': '{"license_key":"LIC-A","hardware_id":"a\\ud800"}',
    'a name that JavaScript knows': '{"__proto__":{"license_key":"LIC-A","hardware_id":"hw-test"}}',
    'an empty object': '{}',
  };
  for (const [name, body] of Object.entries(bodies)) it(name, () => assertRefused(body, name));

  it('no body at all', async () => {
    for (const path of ENDPOINTS) {
      assertOwnError(await stage.ask(rawRequest(`POST ${path}`, [])), path, 400, 'invalid_request');
    }
  });

  it('compressed bodies, sound and broken, and other content types: 415', async () => {
    const body = `{"license_key":"${stage.device.licenseKey}",${hardware}}`;
    const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
    for (const path of ENDPOINTS) {
      for (const [coding, bytes] of [
        ['gzip', gzipSync(body)],
        ['gzip', bomb],
        ['gzip', Buffer.from(body)],
        ['deflate', Buffer.from('x')],
        ['br', Buffer.from('x')],
        ['zstd', Buffer.from('x')],
      ] as const) {
        const answer = await stage.ask(rawPost(path, [JSON_TYPE, `Content-Encoding: ${coding}`], bytes));
        assertOwnError(answer, `${path} ${coding}`, 415, 'unsupported_media_type');
      }
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=b',
      ]) {
        const answer = await stage.ask(rawPost(path, [`Content-Type: ${type}`], body));
        assertOwnError(answer, `${path} ${type}`, 415, 'unsupported_media_type');
      }
    }
  });

  it('paths that cannot be decoded, at the admin API too', async () => {
    const token = `Authorization: Bearer ${stage.gateway.adminToken}`;
    for (const path of [
      '/admin/v1/licenses/%zz',
      '/admin/v1/licenses/%ff',
      '/admin/v1/licenses/%00',
      '/admin/v1/licenses/a%2f..',
    ]) {
      const { status } = await stage.ask(rawRequest(`GET ${path}`, [token]));
      assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    }
  });

  it('and after all that the device is still activated', async () => {
    await stage.assertAlive();
    const failed = stage.gateway.logLines().filter(({ outcome }) => outcome === 'internal_error');
    assert.deepEqual(failed, []);
  });
});
