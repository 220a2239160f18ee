import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { secretNames } from '../../src/config-secrets.ts';
import { explainProblems, loadConfig } from '../../src/config.ts';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'licensify-test-'));
});
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

it('each secret can come from a file, without the line end that editors leave', () => {
  const values: Record<string, string> = {
    OPENAI_API_KEY: 'openai-key-in-a-file',
    ANTHROPIC_API_KEY: 'anthropic-key-in-a-file',
    PROTECTED_API_KEY: 'protected-key-in-a-file',
    ADMIN_TOKEN: 'admin-token-in-a-file',
    MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    DATABASE_URL: 'postgres://db/licensify',
    REDIS_URL: 'redis://cache',
    SMTP_URL: 'smtp://mail',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20eDp5',
  };
  assert.deepEqual(Object.keys(values).sort(), [...secretNames].sort());
  const files = Object.entries(values).map(([name, value]) => [`${name}_FILE`, file(name, `${value}\r\n`)]);
  const loaded = loadConfig({
    ...(Object.fromEntries(files) as Record<string, string>),
    MAIL_FROM: 'a@b.example',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  });
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.config.tracing?.headers, { authorization: 'Basic eDp5' });
  const { providerKeys, protectedApiKey, adminToken, masterKeys, databaseUrl, redisUrl, mail } =
    loaded.config;
  assert.deepEqual(masterKeys, [Buffer.alloc(32, 7)]);
  assert.deepEqual(providerKeys, {
    openai: { value: values.OPENAI_API_KEY, file: join(folder, 'OPENAI_API_KEY') },
    anthropic: { value: values.ANTHROPIC_API_KEY, file: join(folder, 'ANTHROPIC_API_KEY') },
  });
  assert.deepEqual(
    [protectedApiKey, adminToken, databaseUrl, redisUrl, mail?.url],
    [values.PROTECTED_API_KEY, values.ADMIN_TOKEN, values.DATABASE_URL, values.REDIS_URL, values.SMTP_URL],
  );
});

it('a file that is missing, empty or named besides the variable is a problem, and all are told', () => {
  const missing = join(folder, 'nowhere');
  const loaded = loadConfig({
    OPENAI_API_KEY_FILE: missing,
    ANTHROPIC_API_KEY_FILE: file('empty', ' \n'),
    ADMIN_TOKEN_FILE: file('token', 'a-token-that-is-long-enough'),
    ADMIN_TOKEN: 'another-token-that-is-long-enough',
    REDIS_URL_FILE: folder,
    PORT: 'x',
  });
  assert.ok(!loaded.ok);
  const message = explainProblems(loaded.problems);
  assert.match(message, /^The settings have 5 problems:/);
  assert.ok(message.includes(`OPENAI_API_KEY_FILE holds ${JSON.stringify(missing)}`));
  assert.match(message, /ANTHROPIC_API_KEY_FILE holds .*the file is empty/);
  assert.match(message, /ADMIN_TOKEN_FILE holds .*ADMIN_TOKEN is not set as well/);
  assert.match(message, /REDIS_URL_FILE holds /);
  assert.match(message, /PORT holds "x"/);
  assert.ok(!message.includes('long-enough'));
});

it('what a file holds is checked and masked like the variable itself', () => {
  const loaded = loadConfig({ OPENAI_API_KEY_FILE: file('page', 'secret-secret first\nsecond line') });
  assert.ok(!loaded.ok);
  const message = explainProblems(loaded.problems);
  assert.match(message, /OPENAI_API_KEY/);
  assert.ok(!message.includes('secret-secret'));
});
