import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadConfig, type Config, type Environment } from '../../src/config.ts';

function configOf(environment: Environment): Config {
  const loaded = loadConfig(environment);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.config;
}

const defaults = {
  port: 8080,
  host: '0.0.0.0',
  internalPort: 9464,
  proxyMode: true,
  providerKeys: { openai: undefined, anthropic: undefined },
  baseUrls: { openai: new URL('https://api.openai.com'), anthropic: new URL('https://api.anthropic.com') },
  databaseUrl: undefined,
  redisUrl: undefined,
  dataDir: './data',
  tiersFile: undefined,
  adminToken: undefined,
  masterKeys: [],
  protectedApiKey: undefined,
  maxBodyBytes: 33_554_432,
  upstreamTimeoutMs: 600_000,
  trustProxy: 0,
  corsOrigins: [],
  webhookAllowedHosts: [],
  shutdownDelayMs: 0,
  shutdownTimeoutMs: 30_000,
  proxyKeyGraceSeconds: 300,
  requireSignature: false,
  publicUrl: undefined,
  usageRetentionMonths: 0,
  logLevel: 'info',
  mail: undefined,
  requireEmailVerification: true,
  tracing: undefined,
};

it('an empty environment yields the defaults of the contract, and so do empty variables', () => {
  const names = ['PORT', 'DATABASE_URL', 'OPENAI_API_KEY', 'OPENAI_API_KEY_FILE', 'LOG_LEVEL', 'PROXY_MODE'];
  for (const environment of [{}, Object.fromEntries(names.map((name) => [name, '']))]) {
    const { redisPrefix, redisTimeoutMs, ...config } = configOf(environment);
    assert.deepEqual(config, defaults);
    assert.deepEqual([redisPrefix, redisTimeoutMs], ['licensify', 150]);
  }
});

it('variables that are none of ours are ignored', () => {
  assert.deepEqual(configOf({ PATH: '/bin', PORTS: 'x', LICENSIFY: '1' }), configOf({}));
});

it('the configuration cannot be changed', () => {
  const config = configOf({});
  assert.throws(() => Object.assign(config, { port: 1 }), TypeError);
});

it('both ways of writing a base URL mean the same, and a path in front is kept', () => {
  for (const [written, means] of [
    ['https://api.openai.com/v1', 'https://api.openai.com/'],
    ['https://api.openai.com/v1/', 'https://api.openai.com/'],
    ['https://api.openai.com/', 'https://api.openai.com/'],
    ['http://127.0.0.1:9/openai/v1', 'http://127.0.0.1:9/openai'],
  ]) {
    assert.equal(configOf({ OPENAI_BASE_URL: written }).baseUrls.openai.href, means);
  }
});

it('origins are a list', () => {
  const { corsOrigins } = configOf({ CORS_ORIGINS: 'https://app.example.com, chrome-extension://abcdef' });
  assert.deepEqual(corsOrigins, ['https://app.example.com', 'chrome-extension://abcdef']);
});
