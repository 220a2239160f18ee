import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { testStages } from '../support/servers/test-files.ts';

const project = resolve(import.meta.dirname, '../..');

test('npm test runs every test file, and each once', () => {
  const run = testStages(project).flatMap((shares) => shares.flatMap(({ files }) => files));
  assert.deepEqual(run.sort(), globSync('test/**/*.test.ts', { cwd: project }).sort());
});

test('the leak scan runs when nothing else does any more', () => {
  const stages = testStages(project);
  const last = stages.at(-1)?.flatMap(({ files }) => files) ?? [];
  assert.deepEqual(last, globSync('test/leaks/*.test.ts', { cwd: project }));
});
