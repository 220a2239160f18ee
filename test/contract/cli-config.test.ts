import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { settingNames } from '../../src/config.ts';
import { masterKeyId } from '../../src/stores/secret-box.ts';
import { licensify, temporaryFolder } from '../support/cli.ts';

type Settings = Record<string, { value: unknown; source: string }>;

const secrets = {
  OPENAI_API_KEY: 'made-up-openai-key-hush1',
  ANTHROPIC_API_KEY: 'made-up-anthropic-key-hush2',
  PROTECTED_API_KEY: 'made-up-direct-key-hush3',
  ADMIN_TOKEN: 'made-up-admin-token-hush4',
  MASTER_KEY: `${Buffer.alloc(32, 'hush9').toString('base64')},${'9e'.repeat(32)}`,
  DATABASE_URL: 'postgres://user:db-hush5@db.example.com/licensify?sslpassword=tls-hush6',
  REDIS_URL: 'rediss://:redis-hush7@redis.example.com',
};

describe('licensify config', () => {
  it('prints no secret, in any form', async () => {
    for (const json of [[], ['--json']]) {
      for (const isInteractive of [false, true]) {
        const { code, out, err } = await licensify(['config', ...json], { env: secrets, isInteractive });
        assert.deepEqual([code, err], [0, '']);
        assert.doesNotMatch(out, /made-up|db-hush|tls-hush|redis-hush|aHVza|hush9|9e9e/);
        assert.match(out, /MASTER_KEY[\s\S]{1,30}id [0-9a-f]{8}[\s\S]{1,20}id [0-9a-f]{8}/);
        assert.match(out, /\*\*\*\*ush1.*environment|"value": "\*\*\*\*ush1"/);
        assert.match(out, /postgres:\/\/user:\*\*\*\*@db\.example\.com/);
      }
    }
  });

  it('says of every setting what is in force and where it comes from', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'key');
    writeFileSync(file, 'made-up-key-in-a-file\n');
    const { out } = await licensify(['config', '--json'], {
      env: { PORT: '9000', LOG_LEVEL: '', OPENAI_API_KEY_FILE: file, DATA_DIR: folder.path },
      envFile: {
        PORT: '1',
        LOG_LEVEL: 'debug',
        TRUST_PROXY: '2',
        CORS_ORIGINS: 'https://a.example, https://b.example',
      },
    });
    const settings = JSON.parse(out) as Settings;
    assert.deepEqual(Object.keys(settings), settingNames);
    assert.deepEqual(settings.PORT, { value: 9000, source: 'environment' });
    assert.deepEqual(settings.LOG_LEVEL, { value: 'info', source: 'default' });
    assert.deepEqual(settings.TRUST_PROXY, { value: 2, source: '.env' });
    assert.deepEqual(settings.CORS_ORIGINS?.value, ['https://a.example', 'https://b.example']);
    assert.deepEqual(settings.OPENAI_API_KEY, { value: '****file', source: `OPENAI_API_KEY_FILE ${file}` });
    assert.deepEqual(settings.ANTHROPIC_API_KEY, { value: null, source: 'default' });
    assert.match(settings.ADMIN_TOKEN?.source ?? '', /made at the first start, in .*admin-token$/);
    writeFileSync(join(folder.path, 'admin-token'), 'made-up-generated-token\n');
    const after = await licensify(['config'], { env: { DATA_DIR: folder.path } });
    assert.match(after.out, /^ADMIN_TOKEN\t\*\*\*\*oken\t.*admin-token$/m);
  });

  it("shows the id of the embedded database's own master key, and where it lies", async () => {
    using folder = temporaryFolder();
    const env = { DATA_DIR: folder.path };
    const before = await licensify(['config'], { env });
    assert.match(before.out, /^MASTER_KEY\tnot set\tdefault: made at the first start, in .*master-key$/m);
    const key = Buffer.alloc(32, 'hush8');
    const file = join(folder.path, 'master-key');
    writeFileSync(file, `${key.toString('base64')}\n`);
    const made = await licensify(['config'], { env });
    assert.match(made.out, new RegExp(`^MASTER_KEY\tid ${masterKeyId(key)}\t${file}$`, 'm'));
    const replaced = await licensify(['config'], { env: { ...env, MASTER_KEY: '9e'.repeat(32) } });
    assert.match(
      replaced.out,
      new RegExp(`^MASTER_KEY\tid [0-9a-f]{8}, id ${masterKeyId(key)}\tenvironment$`, 'm'),
    );
    const elsewhere = { ...env, DATABASE_URL: 'postgres://db.example.com/licensify' };
    const withDatabase = await licensify(['config'], { env: elsewhere });
    assert.match(withDatabase.out, /^MASTER_KEY\tnot set\tdefault$/m);
    writeFileSync(file, 'something else\n');
    assert.match((await licensify(['config'], { env })).out, /^MASTER_KEY\tnot set\t.*holds no master key/m);
    for (const { out } of [made, replaced]) assert.doesNotMatch(out, /hush8|aHVzaD|9e9e/);
  });

  it('lists every problem of bad settings, masked, and ends with 1', async () => {
    const env = { PORT: 'x', ADMIN_TOKEN: 'too short hush', REDIS_URL: 'http://:hush@h', LOG_LEVEL: 'loud' };
    const { code, out, err } = await licensify(['config'], { env });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^The settings have 4 problems:\n/);
    for (const name of Object.keys(env))
      assert.match(err, new RegExp(`^ {2}${name} holds ".+"; it takes `, 'm'));
    assert.doesNotMatch(err, /short|:hush@/);
  });
});
