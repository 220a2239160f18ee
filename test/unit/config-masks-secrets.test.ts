import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mask, maskUrl, secretNames } from '../../src/config-secrets.ts';
import { explainProblems, loadConfig } from '../../src/config.ts';

const SECRET = 'hunter2-hunter2-hunter2';

it('no secret is in the message about it, not even where it is wrong', () => {
  const wrong: Record<string, string> = {
    OPENAI_API_KEY: `${SECRET} with spaces`,
    ANTHROPIC_API_KEY: `${SECRET}\nsecond line`,
    PROTECTED_API_KEY: `${SECRET} `,
    ADMIN_TOKEN: `${SECRET} x`,
    MASTER_KEY: `${SECRET},${SECRET}`,
    DATABASE_URL: `mysql://user:${SECRET}@db/licensify?password=${SECRET}`,
    REDIS_URL: `http://:${SECRET}@redis:6379`,
    SMTP_URL: `https://user:${SECRET}@mail.example.com`,
    OTEL_EXPORTER_OTLP_HEADERS: `${SECRET} without a name`,
  };
  assert.deepEqual(Object.keys(wrong).sort(), [...secretNames].sort());
  const loaded = loadConfig(wrong);
  assert.ok(!loaded.ok);
  const message = explainProblems(loaded.problems);
  for (const variable of Object.keys(wrong)) assert.ok(message.includes(`  ${variable} holds `), variable);
  assert.ok(!message.includes('hunter2'), message);
});

it('a URL that is none shows nothing of what it holds', () => {
  for (const value of [SECRET, `user:${SECRET}@db`, `//:${SECRET}`, `postgres:// ${SECRET}`]) {
    const loaded = loadConfig({ DATABASE_URL: value, OPENAI_BASE_URL: value });
    assert.ok(!loaded.ok, value);
    assert.ok(!explainProblems(loaded.problems).includes('hunter2'), value);
  }
});

it('a masked secret shows its last four characters at most, and a short one none', () => {
  assert.equal(mask('sk-0123456789abcdef'), '****cdef');
  for (const short of ['', 'x', 'secret', 'elevenchars']) assert.equal(mask(short), '****');
});

it('a masked URL keeps what is no secret', () => {
  assert.equal(maskUrl(`postgres://user:${SECRET}@db:5432/x`), 'postgres://user:****@db:5432/x');
  assert.equal(maskUrl('redis://cache:6379/1'), 'redis://cache:6379/1');
});
