import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { crc32 } from 'node:zlib';
import { hasProxyKeyForm, ProxyKeys } from '../../src/licensing/keys.ts';
import { rememberSecret } from '../support/output.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function issue(): string {
  const key = new ProxyKeys(randomBytes(32)).issue();
  rememberSecret(key);
  return key;
}

it('a proxy key is px_ and 40 base62 characters, the last six a CRC-32 of the rest', () => {
  for (let round = 0; round < 100; round += 1) {
    const key = issue();
    assert.ok(/^px_[0-9A-Za-z]{40}$/.test(key), 'its form');
    const checksum = Array.from(key.slice(-6)).reduce((value, c) => value * 62 + BASE62.indexOf(c), 0);
    assert.equal(checksum, crc32(key.slice(0, -6)));
    assert.ok(hasProxyKeyForm(key));
  }
});

it('any single mistyped character is noticed', () => {
  const key = issue();
  for (let at = 3; at < key.length; at += 1) {
    for (const other of BASE62) {
      if (other === key[at]) continue;
      const mistyped = key.slice(0, at) + other + key.slice(at + 1);
      assert.equal(hasProxyKeyForm(mistyped), false, `character ${at}`);
    }
  }
});

it('two neighbours that changed places are noticed', () => {
  const key = issue();
  for (let at = 3; at < key.length - 1; at += 1) {
    const [left = '', right = ''] = key.slice(at, at + 2);
    if (left === right) continue;
    assert.equal(hasProxyKeyForm(key.slice(0, at) + right + left + key.slice(at + 2)), false, `at ${at}`);
  }
});

it('another length, prefix or alphabet is no proxy key', () => {
  const key = issue();
  const body = key.slice(3);
  for (const wrong of [
    '',
    'px_',
    body,
    `PX_${body}`,
    `px-${body}`,
    `${key}0`,
    key.slice(0, -1),
    `${key}\n`,
  ]) {
    assert.equal(hasProxyKeyForm(wrong), false);
  }
  assert.equal(hasProxyKeyForm(`px_${'é'.repeat(40)}`), false);
});
