import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { newLicenseKey, ProxyKeys } from '../../src/licensing/keys.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Pearson's chi-square of how often each symbol occurs, against all being equally likely. */
function chiSquare(text: string, alphabet: string): number {
  const counts = new Map(Array.from(alphabet, (symbol) => [symbol, 0]));
  for (const symbol of text) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  assert.equal(counts.size, alphabet.length, 'nothing outside the alphabet');
  const expected = text.length / alphabet.length;
  return [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

// A fair source passes these bounds but once in far more than a billion runs; `byte % 62` without rejection would be
// beyond 1,000.
it('the symbols of license keys come equally often', () => {
  const keys = Array.from({ length: 10_000 }, () => newLicenseKey().slice(4).replaceAll('-', ''));
  assert.ok(chiSquare(keys.join(''), CROCKFORD) < 120);
  for (const at of [0, 12, 24]) assert.ok(chiSquare(keys.map((key) => key[at]).join(''), CROCKFORD) < 120);
});

it('the random characters of proxy keys come equally often', () => {
  const proxyKeys = new ProxyKeys(randomBytes(32));
  const keys = Array.from({ length: 10_000 }, () => proxyKeys.issue().slice(3, 29));
  assert.ok(chiSquare(keys.join(''), BASE62) < 170);
  for (const at of [0, 13, 25]) assert.ok(chiSquare(keys.map((key) => key[at]).join(''), BASE62) < 170);
});
