import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { licensify, temporaryFolder } from '../support/cli.ts';

const GOOD = `
[tiers.hobby]
name = "Hobby"
daily_limit = 5
monthly_limit = -1
max_devices = 2
hidden = true
`;

async function validate(toml: string, ...more: string[]) {
  using folder = temporaryFolder();
  const file = join(folder.path, 'tiers.toml');
  writeFileSync(file, toml);
  return { file, ...(await licensify(['tier', 'validate', file, ...more])) };
}

describe('tier validate', () => {
  it('shows the tiers of a good file, hidden ones too', async () => {
    const { code, out, err, file } = await validate(GOOD);
    assert.equal(code, 0);
    assert.match(out, /^hobby\tHobby\t5\tunlimited\t2$/m);
    assert.equal(err, `${file} is valid.\n`);
    const json = JSON.parse((await validate(GOOD, '--json')).out) as { valid: boolean; tiers: unknown[] };
    assert.deepEqual([json.valid, json.tiers.length], [true, 1]);
  });

  it('lists every problem of a bad file with its line, and ends with 1', async () => {
    const bad = GOOD.replace('= 5', '= "five"').replace('max_devices', 'max_device');
    const { code, out, err, file } = await validate(bad);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, new RegExp(`^ {2}${file}:4: tiers\\.hobby\\.daily_limit: `, 'm'));
    assert.match(err, /max_devices/);
    const json = await validate(bad, '--json');
    const { valid, problems } = JSON.parse(json.out) as { valid: boolean; problems: string[] };
    assert.deepEqual([json.code, valid], [1, false]);
    assert.ok(problems.length >= 2);
  });

  it('says that there is no such file', async () => {
    const { code, err } = await licensify(['tier', 'validate', '/nowhere/tiers.toml']);
    assert.equal(code, 1);
    assert.match(err, /\/nowhere\/tiers\.toml: ENOENT/);
  });
});
