import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import type { Clock } from '../../src/clock.ts';
import { explainProblems, loadConfig } from '../../src/config.ts';
import { startGateway, type Gateway } from '../../src/gateway.ts';
import { parseTiers } from '../../src/licensing/tiers-file.ts';
import { builtInTiers } from '../../src/licensing/tiers.ts';
import { createLogger } from '../../src/observe/log.ts';
import { decryptProxyKey } from './decrypt.ts';
import { assertDescribed } from './openapi.ts';
import { captureLog, keepDump, rememberSecret } from './output.ts';
import { createTestDatabase, testRedisUrl } from './servers/databases.ts';
import { ANTHROPIC_KEY, OPENAI_KEY, startSimulator, type Simulator } from './simulator/simulator.ts';

export interface TestGatewayOptions {
  /** Default: redis. */
  counters?: 'redis' | 'memory';
  /** Default: postgres. */
  database?: 'postgres' | 'embedded';
  /** Settings on top of the test's own, as environment variables; undefined takes one away. */
  env?: Record<string, string | undefined>;
  clock?: Clock;
  /** TOML in place of the built-in tiers. */
  tiers?: string;
  /** Another instance of the same installation: same database, same Redis keys, same simulator. */
  joins?: TestGateway;
}

export interface NewTestLicense {
  tier?: string;
  daily_limit?: number;
  monthly_limit?: number;
  max_activations?: number;
  expires_at?: string;
  email?: string;
  name?: string;
}

export interface TestDevice {
  licenseId: string;
  licenseKey: string;
  hardwareId: string;
  proxyKey: string;
}

export interface JsonAnswer {
  status: number;
  headers: Headers;
  // What a test asserts about an answer's body is its own business.
  body: Record<string, never>;
  text: string;
}

export interface AdminOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Default: ADMIN_TOKEN. */
  token?: string;
}

/** A real gateway on free ports, in this process, with the provider simulator behind it. */
export interface TestGateway {
  readonly url: string;
  readonly internalUrl: string;
  readonly adminToken: string;
  readonly simulator: Simulator;
  readonly gateway: Gateway;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The log lines written so far, parsed. */
  logLines(): Record<string, unknown>[];
  /** A request with a JSON body (POST if there is one), answered with its parsed JSON. */
  request(
    path: string,
    options?: { method?: string; headers?: Record<string, string>; body?: unknown },
  ): Promise<JsonAnswer>;
  /** The same to the admin API, with its token; the path goes behind `/admin/v1`. */
  admin(path: string, options?: AdminOptions): Promise<JsonAnswer>;
  createLicense(fields?: NewTestLicense): Promise<{ id: string; licenseKey: string }>;
  /** Activates and decrypts, as a client does. */
  activate(licenseKey: string, hardwareId: string): Promise<string>;
  /** A new license, activated on one device. */
  device(fields?: NewTestLicense, hardwareId?: string): Promise<TestDevice>;
  metrics(): Promise<string>;
  /** Closes the gateway, and the simulator if it is its own. */
  close(): Promise<void>;
}

/** Starts a gateway for a test. Its database is a fresh one; it stays until the leak scan has read it. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const simulator = options.joins?.simulator ?? (await startSimulator());
  const env = { ...(await environmentFor(options, simulator)), ...options.env };
  const loaded = loadConfig(env);
  if (!loaded.ok) throw new Error(explainProblems(loaded.problems));
  const read = options.tiers === undefined ? undefined : parseTiers(options.tiers, 'tiers.toml');
  if (read?.ok === false) throw new Error(read.problems.join('\n'));
  const { destination, lines } = captureLog();
  const ownsSimulator = options.joins === undefined;
  try {
    const gateway = await startGateway({
      config: loaded.config,
      tiers: read?.tiers ?? builtInTiers,
      log: createLogger(env.LOG_LEVEL ?? 'debug', destination),
      adminToken: env.ADMIN_TOKEN,
      ...(options.clock !== undefined && { clock: options.clock }),
    });
    return new RunningGateway({ gateway, simulator, ownsSimulator, env, lines });
  } catch (error) {
    // It would keep the test's process for ever.
    if (ownsSimulator) await simulator.close();
    throw error;
  }
}

async function environmentFor(
  options: TestGatewayOptions,
  simulator: Simulator,
): Promise<Record<string, string | undefined>> {
  if (options.joins !== undefined) return options.joins.env;
  const embedded = options.database === 'embedded';
  const secrets = {
    openai: OPENAI_KEY,
    anthropic: ANTHROPIC_KEY,
    admin: `admin-${randomBytes(24).toString('hex')}`,
  };
  for (const secret of Object.values(secrets)) rememberSecret(secret);
  return {
    PORT: '0',
    INTERNAL_PORT: '0',
    HOST: '127.0.0.1',
    OPENAI_API_KEY: secrets.openai,
    ANTHROPIC_API_KEY: secrets.anthropic,
    OPENAI_BASE_URL: simulator.url,
    ANTHROPIC_BASE_URL: simulator.url,
    ADMIN_TOKEN: secrets.admin,
    DATA_DIR: embedded ? mkdtempSync(join(tmpdir(), 'licensify-test-')) : undefined,
    DATABASE_URL: embedded ? undefined : (await createTestDatabase()).url,
    REDIS_URL: options.counters === 'memory' ? undefined : testRedisUrl(),
    REDIS_PREFIX: `test-${randomBytes(6).toString('hex')}`,
    // So that a machine that is busy elsewhere for a moment fails no test; what the default promises has tests of its own.
    REDIS_TIMEOUT_MS: '10000',
    SHUTDOWN_TIMEOUT_MS: '2000',
  };
}

interface Parts {
  gateway: Gateway;
  simulator: Simulator;
  ownsSimulator: boolean;
  env: Record<string, string | undefined>;
  lines: () => Record<string, unknown>[];
}

class RunningGateway implements TestGateway {
  readonly gateway: Gateway;
  readonly simulator: Simulator;
  readonly env: Record<string, string | undefined>;
  readonly logLines: () => Record<string, unknown>[];
  readonly #ownsSimulator: boolean;
  #closed = false;

  constructor({ gateway, simulator, ownsSimulator, env, lines }: Parts) {
    this.gateway = gateway;
    this.simulator = simulator;
    this.env = env;
    this.logLines = lines;
    this.#ownsSimulator = ownsSimulator;
  }

  get url(): string {
    return this.gateway.url;
  }

  get internalUrl(): string {
    return this.gateway.internalUrl;
  }

  get adminToken(): string {
    return this.env.ADMIN_TOKEN ?? '';
  }

  async request(
    path: string,
    {
      method,
      headers = {},
      body,
    }: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
  ): Promise<JsonAnswer> {
    const verb = method ?? (body === undefined ? 'GET' : 'POST');
    const answer = await fetch(this.url + path, {
      method: verb,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    const parsed = (isJson && text !== '' ? JSON.parse(text) : {}) as Record<string, never>;
    const { status } = answer;
    // Whatever a test is about, the admin API's answer to it is as its document says.
    if (path.startsWith('/admin/')) assertDescribed(verb, path, { status, headers: answer.headers, text });
    return { status, headers: answer.headers, body: parsed, text };
  }

  admin(
    path: string,
    { token = this.adminToken, headers, ...options }: AdminOptions = {},
  ): Promise<JsonAnswer> {
    return this.request(`/admin/v1${path}`, {
      ...options,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  }

  async createLicense(fields: NewTestLicense = {}): Promise<{ id: string; licenseKey: string }> {
    const body = { email: 'customer@example.com', name: 'A Customer', tier: 'pro', ...fields };
    const answer = await this.admin('/licenses', { body });
    if (answer.status !== 201) throw new Error(`no license was made: ${answer.status} ${answer.text}`);
    const { license, license_key: licenseKey } = answer.body as unknown as {
      license: { id: string };
      license_key: string;
    };
    rememberSecret(licenseKey);
    return { id: license.id, licenseKey };
  }

  async activate(licenseKey: string, hardwareId: string): Promise<string> {
    const answer = await this.request('/activate', {
      body: { license_key: licenseKey, hardware_id: hardwareId },
    });
    if (answer.status !== 200) throw new Error(`not activated: ${answer.status} ${answer.text}`);
    const proxyKey = decryptProxyKey(
      answer.body as unknown as { encrypted_api_key: string; iv: string },
      licenseKey,
    );
    rememberSecret(proxyKey);
    return proxyKey;
  }

  async device(fields: NewTestLicense = {}, hardwareId = 'hw-test'): Promise<TestDevice> {
    const { id, licenseKey } = await this.createLicense(fields);
    return { licenseId: id, licenseKey, hardwareId, proxyKey: await this.activate(licenseKey, hardwareId) };
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.internalUrl}/metrics`)).text();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    keepDump('metrics', await this.metrics());
    const dataDir = this.env.DATA_DIR;
    if (dataDir !== undefined) keepDump('embedded', await dumpTables(this.gateway));
    await closeKeptConnections();
    await this.gateway.close();
    if (this.#ownsSimulator) await this.simulator.close();
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
  }
}

/**
 * Closes what `fetch` keeps open for later and leaves alone what is under way: a gateway that stops would wait for 300 ms
 * whether anybody uses an idle connection once more. Tests of just that have connections of their own.
 */
async function closeKeptConnections(): Promise<void> {
  const kept = getGlobalDispatcher();
  setGlobalDispatcher(new Agent());
  await nextTurn(); // a call that has just begun has taken its connection by then
  void kept.close();
}

/** An embedded database is gone with its test: what the leak scan will look for is written down before. */
async function dumpTables({ knex }: Gateway): Promise<string> {
  const tables = ['licenses', 'devices', 'proxy_keys', 'usage', 'ledger_offsets', 'installation'];
  tables.push('admin_tokens', 'audit', 'verifications', 'provider_keys', 'provider_refusals');
  tables.push('webhook_endpoints', 'webhook_events', 'webhook_deliveries');
  const rows = await Promise.all(tables.map((table) => knex.raw(`SELECT t::text AS row FROM "${table}" t`)));
  return rows.map((result) => JSON.stringify((result as { rows: unknown[] }).rows)).join('\n');
}
