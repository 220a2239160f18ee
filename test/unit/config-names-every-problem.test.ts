import assert from 'node:assert/strict';
import { it } from 'node:test';
import { explainProblems, loadConfig, settingNames, type Environment } from '../../src/config.ts';

/** What each setting refuses, and what its problem has to say that it takes. */
const wrong: Record<string, [value: string, takes: RegExp]> = {
  PORT: ['80800', /^a whole number from 0 to 65535$/],
  HOST: ['not a host', /^an address or host name/],
  INTERNAL_PORT: ['-1', /^a whole number from 0 to 65535$/],
  PROXY_MODE: ['yes', /^true or false$/],
  OPENAI_API_KEY: ['sk-with a space', /^the OpenAI API key, without spaces$/],
  ANTHROPIC_API_KEY: ['sk-ant-ümlaut', /^the Anthropic API key, without spaces$/],
  OPENAI_BASE_URL: ['api.openai.com?x=1', /^a URL such as https:\/\/api\.openai\.com$/],
  ANTHROPIC_BASE_URL: ['https://api.anthropic.com?x=1', /^a URL such as https:\/\/api\.anthropic\.com$/],
  DATABASE_URL: ['mysql://db/licensify', /^a URL such as postgres:\/\//],
  REDIS_URL: ['127.0.0.1:6379', /^a URL such as redis:\/\//],
  REDIS_PREFIX: ['a b', /letters, digits, dot, dash, underscore/],
  REDIS_TIMEOUT_MS: ['0', /^a whole number from 10 to /],
  ADMIN_TOKEN: ['short', /^at least 16 characters/],
  MASTER_KEY: ['c2hvcnQ=', /^32 random bytes in base64 or hex/],
  PROTECTED_API_KEY: ['two words', /direct mode/],
  MAX_BODY_BYTES: ['32MB', /^a whole number from 1024 to /],
  UPSTREAM_TIMEOUT_MS: ['1e6', /^a whole number from 100 to /],
  TRUST_PROXY: ['true', /^a whole number from 0 to 100$/],
  CORS_ORIGINS: ['https://app.example.com,*', /^exact origins separated by commas/],
  WEBHOOK_ALLOWED_HOSTS: ['hooks.internal,https://10.0.0.7', /^host names or addresses without a port/],
  SMTP_URL: ['mail.example.com:587', /^a URL such as smtp:\/\//],
  MAIL_FROM: ['Licenses', /^the sender of mails: licenses@example\.com/],
  REQUIRE_EMAIL_VERIFICATION: ['no', /^true or false$/],
  SHUTDOWN_DELAY_MS: ['2147483648', /^a whole number from 0 to 2147483647/],
  SHUTDOWN_TIMEOUT_MS: ['1.5', /^a whole number/],
  PROXY_KEY_GRACE_SECONDS: ['5m', /^a whole number/],
  PUBLIC_URL: ['https://licenses.example.com/path', /^where clients reach the gateway/],
  USAGE_RETENTION_MONTHS: ['-1', /^a whole number from 0 to 1200$/],
  REQUIRE_SIGNATURE: ['perhaps', /^true or false/],
  LOG_LEVEL: ['verbose', /^fatal, error, warn, info, debug, trace or silent$/],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['collector:4318', /^the base URL of an OTLP\/HTTP receiver/],
  OTEL_EXPORTER_OTLP_HEADERS: ['a secret without a name', /^headers for the receiver: name=value/],
  OTEL_TRACES_SAMPLER: ['sometimes', /^one of always_on, always_off, traceidratio, /],
  OTEL_TRACES_SAMPLER_ARG: ['1.5', /^the share of traces/],
};
/** Any text may be a path. */
const takesAnything = ['DATA_DIR', 'TIERS_FILE', 'OTEL_SERVICE_NAME'];

function problemsOf(
  environment: Environment,
): { variable: string; holds: string | undefined; takes: string }[] {
  const loaded = loadConfig(environment);
  return loaded.ok ? [] : loaded.problems;
}

it('each setting refuses what it does not take, and says what it takes', () => {
  assert.deepEqual([...Object.keys(wrong), ...takesAnything].sort(), [...settingNames].sort());
  for (const [variable, [value, takes]] of Object.entries(wrong)) {
    const problems = problemsOf({ [variable]: value });
    assert.deepEqual(
      problems.map((problem) => problem.variable),
      [variable],
    );
    assert.match(problems[0]?.takes ?? '', takes);
  }
});

it('all problems are in one message, each with its name, what it holds and what it takes', () => {
  const environment = Object.fromEntries(Object.entries(wrong).map(([name, [value]]) => [name, value]));
  const problems = problemsOf(environment);
  const lines = explainProblems(problems).split('\n');
  assert.equal(lines[0], `The settings have ${Object.keys(wrong).length} problems:`);
  for (const [variable, [, takes]] of Object.entries(wrong)) {
    const line = lines.find((candidate) => candidate.startsWith(`  ${variable} holds `));
    assert.ok(line, variable);
    assert.match(/; it takes (.*)\.$/.exec(line)?.[1] ?? '', takes);
  }
  assert.ok(lines.includes('  PORT holds "80800"; it takes a whole number from 0 to 65535.'));
});

it('settings that contradict each other are a problem too', () => {
  assert.deepEqual(
    problemsOf({ PROXY_MODE: 'false' }).map(({ variable, holds }) => [variable, holds]),
    [['PROTECTED_API_KEY', undefined]],
  );
  assert.match(explainProblems(problemsOf({ PROXY_MODE: '0' })), /^The settings have a problem:\n/);
  assert.match(explainProblems(problemsOf({ PROXY_MODE: '0' })), /PROTECTED_API_KEY is not set; it takes /);
  assert.deepEqual(
    problemsOf({ PORT: '9464' }).map(({ variable }) => variable),
    ['INTERNAL_PORT'],
  );
});

it('a contradiction is told of beside values that are refused, and none is made up of them', () => {
  const environment = { PROXY_MODE: 'false', PORT: '9464', SMTP_URL: 'smtp://mail', LOG_LEVEL: 'loud' };
  assert.deepEqual(
    problemsOf(environment).map(({ variable }) => variable),
    ['LOG_LEVEL', 'PROTECTED_API_KEY', 'INTERNAL_PORT', 'MAIL_FROM'],
  );
  const refused = { MAIL_FROM: 'a@example.com', SMTP_URL: 'mail.example.com', PROXY_MODE: 'no' };
  assert.deepEqual(
    problemsOf(refused).map(({ variable }) => variable),
    ['PROXY_MODE', 'SMTP_URL'],
  );
  const unread = { PROXY_MODE: 'false', PROTECTED_API_KEY_FILE: '/there/is/no/such/file' };
  assert.deepEqual(
    problemsOf(unread).map(({ variable }) => variable),
    ['PROTECTED_API_KEY_FILE'],
  );
});
