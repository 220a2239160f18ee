import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { licensify, temporaryFolder } from '../support/cli.ts';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { adminTokenFor } from '../../src/cli/admin-token.ts';
import { loadConfig } from '../../src/config.ts';
import { rememberSecret } from '../support/output.ts';

it('an embedded installation is looked into, and a token that others may read fails', async () => {
  using folder = temporaryFolder();
  const env = { DATA_DIR: join(folder.path, 'data') };
  const fresh = await examined(env);
  assert.match(
    foundOf(fresh, 'database').join(),
    /^ok: embedded PostgreSQL in .+, which the first start makes$/,
  );
  assert.match(foundOf(fresh, 'data folder').join(), /^ok: .+ is made at the first start$/);

  assert.equal((await licensify(['migrate'], { env })).code, 0);
  const loaded = loadConfig(env);
  assert.ok(loaded.ok);
  const token = adminTokenFor(loaded.config) ?? '';
  rememberSecret(token);
  const made = await examined(env);
  assert.match(foundOf(made, 'migrations').join(), /^ok: /);
  assert.match(foundOf(made, 'data folder').join(), /^ok: .+ is for this user alone$/);
  assert.match(foundOf(made, 'disk').join(), /^(?:ok|warn): [\d.]+ GB free of [\d.]+ GB/);
  assert.ok(!made.output.includes(token));

  chmodSync(env.DATA_DIR, 0o755);
  chmodSync(join(env.DATA_DIR, 'admin-token'), 0o644);
  const open = await examined(env);
  assert.equal(open.code, 1);
  const found = foundOf(open, 'data folder').join('\n');
  assert.match(found, /^warn: .+ can be entered by other users \(0755\) -> chmod 700 /m);
  assert.match(found, /^fail: .+admin-token can be read by others \(0644\) -> chmod 600 /m);
});
