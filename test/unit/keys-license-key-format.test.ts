import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalLicenseKey, newLicenseKey } from '../../src/licensing/keys.ts';

const SYMBOL = /[0-9A-HJKMNP-TV-Z]/;

it('a license key is LIC- and five groups of five Crockford symbols', () => {
  for (let round = 0; round < 2_000; round += 1) {
    const key = newLicenseKey();
    assert.ok(/^LIC(?:-[0-9A-HJKMNP-TV-Z]{5}){5}$/.test(key), 'its form');
    assert.equal(canonicalLicenseKey(key), key);
  }
});

it('the first 32 bytes of a license key hold at least 120 random bits', () => {
  const firstBytes = Buffer.from(newLicenseKey(), 'utf8').subarray(4, 32).toString();
  const symbols = Array.from(firstBytes).filter((character) => SYMBOL.test(character));
  assert.ok(symbols.length * 5 >= 120, `${symbols.length} symbols of 5 bits`);
});

it('no two license keys are the same', () => {
  assert.equal(new Set(Array.from({ length: 10_000 }, newLicenseKey)).size, 10_000);
});
