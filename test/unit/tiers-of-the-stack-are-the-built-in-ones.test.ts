import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { it } from 'node:test';
import { readTiersFile } from '../../src/licensing/tiers-file.ts';
import { builtInTiers } from '../../src/licensing/tiers.ts';

it("the compose stack's file of tiers says what is built in", () => {
  const read = readTiersFile(resolve(import.meta.dirname, '../../deploy/tiers/tiers.toml'));
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(read.tiers, builtInTiers);
});
