import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, it } from 'node:test';
import { openPostgres } from '../../src/stores/postgres.ts';
import { SecretBox } from '../../src/stores/secret-box.ts';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { freePort } from '../support/servers/processes.ts';
import { ANTHROPIC_KEY, OPENAI_KEY, startSimulator, type Simulator } from '../support/simulator/simulator.ts';

let simulator: Simulator;
let env: Record<string, string>;
before(async () => {
  simulator = await startSimulator();
  env = {
    DATABASE_URL: (await createTestDatabase()).url,
    OPENAI_API_KEY: OPENAI_KEY,
    ANTHROPIC_API_KEY: ANTHROPIC_KEY,
    OPENAI_BASE_URL: simulator.url,
    ANTHROPIC_BASE_URL: simulator.url,
  };
});
after(() => simulator.close());

it('asks with the real key, and tells which of them is refused, without a word of it', async () => {
  simulator.setKeys('openai', ['sk-another-one-that-is-valid']);
  const result = await examined(env);
  assert.equal(result.code, 1);
  assert.match(
    foundOf(result, 'provider openai').join(),
    /^fail: 127\.0\.0\.1:\d+ refuses the key \(401\) -> .*OPENAI_API_KEY/,
  );
  assert.match(foundOf(result, 'provider anthropic').join(), /^ok: 127\.0\.0\.1:\d+ accepts the key$/);
  for (const key of [OPENAI_KEY, ANTHROPIC_KEY])
    for (const part of [key, key.slice(-8)]) assert.ok(!result.output.includes(part));
});

it('asks with the key that an administrator stored, which wins over the setting', async () => {
  const masterKey = randomBytes(32);
  const database = openPostgres(env.DATABASE_URL ?? '');
  try {
    await database.migrate();
    const sealed = new SecretBox([masterKey]).seal('sk-another-one-that-is-valid', 'provider:openai');
    await database
      .knex('provider_keys')
      .insert({ provider: 'openai', sealed, fingerprint: 'x', set_at: new Date() });
  } finally {
    await database.close();
  }
  simulator.setKeys('openai', ['sk-another-one-that-is-valid']);
  const result = await examined({ ...env, MASTER_KEY: masterKey.toString('hex') });
  assert.match(foundOf(result, 'provider openai').join(), /^ok: .+ accepts the key$/);
  assert.ok(!result.output.includes('that-is-valid'));
});

it('a provider that cannot be reached fails, and one without a key does not', async () => {
  const { ANTHROPIC_API_KEY, ...without } = env;
  assert.ok(ANTHROPIC_API_KEY);
  const result = await examined({ ...without, OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}` });
  assert.match(
    foundOf(result, 'provider openai').join(),
    /^fail: 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED.* -> let this machine through/,
  );
  assert.match(foundOf(result, 'provider anthropic').join(), /^ok: ANTHROPIC_API_KEY is not set/);
});

it('no key at all fails, and direct mode needs none', async () => {
  const { DATABASE_URL } = env;
  assert.match(foundOf(await examined({ DATABASE_URL }), 'providers').join(), /^fail: no provider has a key/);
  const direct = { DATABASE_URL, PROXY_MODE: 'false', PROTECTED_API_KEY: 'sk-protected' };
  assert.match(foundOf(await examined(direct), 'providers').join(), /^ok: direct mode/);
});
