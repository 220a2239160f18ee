import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { errorTable } from '../../src/http/errors.ts';

it('docs/errors.md has every code that the gateway can answer, with its status, once, and no others', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (\d{3}) +\| `([a-z_]+)` +\|/gm)].map(
    ([, status, code]) => `${status} ${code}`,
  );
  const codes = Object.entries(errorTable).map(([code, { status }]) => `${status} ${code}`);
  assert.deepEqual(rows.sort(), codes.sort());
});
