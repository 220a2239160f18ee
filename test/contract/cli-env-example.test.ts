import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseEnv } from 'node:util';
import { secretNames } from '../../src/config-secrets.ts';
import { loadConfig, settingNames } from '../../src/config.ts';
import { project } from '../support/cli.ts';

const text = readFileSync(join(project, '.env.example'), 'utf8');
const example = parseEnv(text);

describe('.env.example', () => {
  it('names exactly the settings that there are, each once', () => {
    const names = text.match(/^[A-Z_]+(?==)/gm) ?? [];
    assert.deepEqual(names.sort(), [...settingNames].sort());
  });

  it('holds the defaults, and no secret', () => {
    assert.deepEqual(loadConfig(example), loadConfig({}));
    for (const name of secretNames) assert.equal(example[name], '', name);
  });

  it('says in the line above each what it is', () => {
    const lines = text.split('\n');
    for (const name of settingNames) {
      const above = lines[lines.findIndex((line) => line.startsWith(`${name}=`)) - 1] ?? '';
      assert.match(above, /^# (?!---).{10,}/, `above ${name}: ${above}`);
    }
  });
});
