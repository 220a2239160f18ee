import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadConfig } from '../../src/config.ts';
import { readKeyFile } from '../../src/config-secrets.ts';
import { ProviderKey } from '../../src/upstream/provider-keys.ts';
import { temporaryFolder } from '../support/cli.ts';

// Between the settings and the first look at the file, an embedded database is opened: that takes seconds.
it('a key file that changes while the gateway starts is not missed', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'key');
  writeFileSync(file, 'sk-before-the-start-0123456789');
  const loaded = loadConfig({ OPENAI_API_KEY_FILE: file });
  assert.ok(loaded.ok);
  const source = loaded.config.providerKeys.openai;
  assert.ok(source);
  writeFileSync(file, 'sk-since-the-start-0123456789\n');
  const told: unknown[] = [];
  const key = new ProviderKey(source, readKeyFile, (error) => told.push(error));
  assert.equal(key.inForce?.value, 'sk-since-the-start-0123456789');
  assert.deepEqual(told, [undefined]);
  key.close();
});
