import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../support/cli.ts';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { startTestGateway } from '../support/gateway.ts';

it('lists every problem of the settings, with what each takes', async () => {
  const result = await examined({
    PORT: 'x',
    ADMIN_TOKEN: 'too short hush',
    PUBLIC_URL: 'https://a.example/path',
  });
  assert.equal(result.code, 1);
  const found = foundOf(result, 'settings');
  assert.equal(found.length, 3);
  assert.match(found.join('\n'), /^fail: PORT holds "x" -> PORT takes a whole number/m);
  assert.match(found.join('\n'), /^fail: PUBLIC_URL holds ".+" -> PUBLIC_URL takes .+ without a path/m);
  assert.doesNotMatch(result.output, /too short/);
});

it('a tiers file with a mistake fails with its line, one without a tier that is in use with the tier', async () => {
  using folder = temporaryFolder();
  const gateway = await startTestGateway({ counters: 'memory' });
  await gateway.createLicense({ tier: 'pro' });
  await gateway.close();
  const file = join(folder.path, 'tiers.toml');
  const env = { ...gateway.env, TIERS_FILE: file };

  writeFileSync(
    file,
    '[tiers.free]\nname = "Free"\ndaily_limit = "ten"\nmonthly_limit = 1\nmax_devices = 1\n',
  );
  const broken = await examined(env);
  assert.equal(broken.code, 1);
  assert.match(
    foundOf(broken, 'tiers').join(),
    /^fail: TIERS_FILE has problems: .+:3: .+ -> .*licensify tier validate/,
  );

  writeFileSync(
    file,
    '[tiers.free]\nname = "Free"\ndaily_limit = 10\nmonthly_limit = 100\nmax_devices = 1\n',
  );
  const lacking = await examined(env);
  assert.equal(lacking.code, 1);
  assert.deepEqual(
    foundOf(lacking, 'tiers in use').map((found) => found.split(' -> ')[0]),
    ['fail: licenses of tiers that there are not: 1 × "pro"'],
  );
});
