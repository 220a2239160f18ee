import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { parseMasterKeys } from '../../src/config-secrets.ts';
import { loadConfig } from '../../src/config.ts';

it('a master key is read in hex and in each form of base64, and several in their order', () => {
  for (let round = 0; round < 100; round += 1) {
    const key = randomBytes(32);
    const forms = [
      key.toString('hex'),
      key.toString('hex').toUpperCase(),
      key.toString('base64'),
      key.toString('base64').slice(0, -1),
      key.toString('base64url'),
    ];
    assert.deepEqual(
      parseMasterKeys(forms.join(', ')),
      forms.map(() => key),
    );
  }
});

it('what is not 32 bytes is no master key, and one bad one in a list spoils it', () => {
  const good = randomBytes(32).toString('base64');
  for (const bad of [
    '',
    'secret',
    'f'.repeat(63),
    'g'.repeat(64),
    good.slice(0, 40),
    `${good}=`,
    `${good}${good}`,
  ]) {
    assert.equal(parseMasterKeys(bad), undefined, bad);
    assert.equal(parseMasterKeys(`${good},${bad}`), undefined);
    assert.equal(loadConfig({ MASTER_KEY: `${bad},${good}` }).ok, false);
  }
});
