import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalLicenseKey } from '../../src/licensing/keys.ts';

const KEY = 'LIC-01ABC-DEFGH-JKMNP-QRSTV-WXYZ0';

it('case, surrounding space and the letters that look like digits are forgiven', () => {
  for (const typed of [
    KEY,
    KEY.toLowerCase(),
    `  ${KEY}\n`,
    'LIC-OIABC-DEFGH-JKMNP-QRSTV-WXYZO',
    'lic-olabc-defgh-jkmnp-qrstv-wxyzo',
    'Lic-0lAbC-dEfGh-JKMNP-QrStV-wXyZo',
  ]) {
    assert.equal(canonicalLicenseKey(typed), KEY, typed);
  }
});

it('what cannot be a license key is no license key', () => {
  for (const typed of [
    '',
    'LIC-',
    'LIC',
    KEY.slice(0, -1),
    `${KEY}0`,
    KEY.replaceAll('-', ''),
    KEY.replaceAll('-', ' '),
    KEY.replace('A', 'U'),
    KEY.replace('A', '!'),
    KEY.replace('A', 'Ä'),
    KEY.replace('LIC', 'LID'),
    `${KEY}\n${KEY}`,
    `x${KEY}`,
  ]) {
    assert.equal(canonicalLicenseKey(typed), undefined, typed);
  }
});
