import { mask, maskUrl, secretNames } from '../config-secrets.ts';
import { settingNames, type Config, type KeySource, type SettingName } from '../config.ts';
import { masterKeyFile, masterKeysOf } from '../master-key.ts';
import { masterKeyId } from '../stores/secret-box.ts';
import { adminTokenFile, readAdminToken } from './admin-token.ts';
import { environmentOf, sourceOf } from './environment.ts';
import { settings } from './settings.ts';
import { printJson, printTable } from './tables.ts';
import { reasonOf, type Terminal } from './terminal.ts';

type Value = string | number | boolean | readonly string[] | undefined;

interface Shown {
  /** Masked, if it is a secret; undefined where it is not set. */
  value: Value;
  source: string;
}

/** `licensify config`: each setting in force, and where it comes from. @throws CommandError that lists every problem */
export function showConfig(terminal: Terminal, { json }: { json: boolean }): void {
  const config = settings(terminal);
  const values = valuesOf(config);
  const shown = settingNames.map((name) => [name, show(terminal, config, name, values[name])] as const);
  if (json) {
    const entries = shown.map(
      ([name, { value, source }]) => [name, { value: value ?? null, source }] as const,
    );
    printJson(terminal, Object.fromEntries(entries));
    return;
  }
  printTable(
    terminal,
    ['setting', 'value', 'from'],
    shown.map(([name, { value, source }]) => [name, textOf(value), source]),
  );
}

function show(terminal: Terminal, config: Config, name: SettingName, value: Value): Shown {
  const source = originOf(terminal, name);
  const hasGeneratedToken = name === 'ADMIN_TOKEN' && value === undefined && config.databaseUrl === undefined;
  if (hasGeneratedToken) {
    const token = readAdminToken(config.dataDir);
    const file = adminTokenFile(config.dataDir);
    return token === undefined
      ? { value, source: `default: made at the first start, in ${file}` }
      : { value: mask(token), source: file };
  }
  if (name === 'MASTER_KEY') return showMasterKeys(config, source);
  return { value: masked(name, value), source };
}

/** Not even their last characters: what tells them apart is enough. The embedded database has one of its own. */
function showMasterKeys(config: Config, source: string): Shown {
  try {
    const ids = masterKeysOf(config).map((key) => `id ${masterKeyId(key)}`);
    if (config.masterKeys.length > 0 || config.databaseUrl !== undefined)
      return { value: orUnset(ids), source };
    const file = masterKeyFile(config.dataDir);
    return ids.length === 0
      ? { value: undefined, source: `default: made at the first start, in ${file}` }
      : { value: ids, source: file };
  } catch (error) {
    return { value: undefined, source: reasonOf(error) };
  }
}

function orUnset(list: string[]): string[] | undefined {
  return list.length === 0 ? undefined : list;
}

function originOf(terminal: Terminal, name: SettingName): string {
  const file = environmentOf(terminal)[`${name}_FILE`];
  if (secretNames.includes(name) && file) return `${name}_FILE ${file}`;
  return sourceOf(terminal, name) ?? 'default';
}

function masked(name: SettingName, value: Value): Value {
  if (typeof value !== 'string') return value;
  if (name.endsWith('_URL') || name.endsWith('_ENDPOINT')) return maskUrl(value);
  return secretNames.includes(name) ? mask(value) : value;
}

function textOf(value: Value): string {
  if (value === undefined) return 'not set';
  return value instanceof Array ? value.join(', ') || 'none' : String(value);
}

function valuesOf(config: Config): Record<SettingName, Value> {
  return {
    PORT: config.port,
    HOST: config.host,
    INTERNAL_PORT: config.internalPort,
    PROXY_MODE: config.proxyMode,
    OPENAI_API_KEY: keyOf(config.providerKeys.openai),
    ANTHROPIC_API_KEY: keyOf(config.providerKeys.anthropic),
    OPENAI_BASE_URL: config.baseUrls.openai.href,
    ANTHROPIC_BASE_URL: config.baseUrls.anthropic.href,
    DATABASE_URL: config.databaseUrl,
    REDIS_URL: config.redisUrl,
    REDIS_PREFIX: config.redisPrefix,
    REDIS_TIMEOUT_MS: config.redisTimeoutMs,
    DATA_DIR: config.dataDir,
    TIERS_FILE: config.tiersFile,
    ADMIN_TOKEN: config.adminToken,
    MASTER_KEY: undefined, // shown by its ids
    PROTECTED_API_KEY: config.protectedApiKey,
    MAX_BODY_BYTES: config.maxBodyBytes,
    UPSTREAM_TIMEOUT_MS: config.upstreamTimeoutMs,
    TRUST_PROXY: config.trustProxy,
    PUBLIC_URL: config.publicUrl?.href,
    CORS_ORIGINS: config.corsOrigins,
    WEBHOOK_ALLOWED_HOSTS: config.webhookAllowedHosts,
    SHUTDOWN_DELAY_MS: config.shutdownDelayMs,
    SHUTDOWN_TIMEOUT_MS: config.shutdownTimeoutMs,
    SMTP_URL: config.mail?.url,
    MAIL_FROM: config.mail?.from,
    REQUIRE_EMAIL_VERIFICATION: config.requireEmailVerification,
    PROXY_KEY_GRACE_SECONDS: config.proxyKeyGraceSeconds,
    REQUIRE_SIGNATURE: config.requireSignature,
    USAGE_RETENTION_MONTHS: config.usageRetentionMonths,
    LOG_LEVEL: config.logLevel,
    OTEL_EXPORTER_OTLP_ENDPOINT: config.tracing?.endpoint,
    // Their names tell enough.
    OTEL_EXPORTER_OTLP_HEADERS: config.tracing && Object.keys(config.tracing.headers),
    OTEL_SERVICE_NAME: config.tracing?.serviceName,
    OTEL_TRACES_SAMPLER: config.tracing?.sampler,
    OTEL_TRACES_SAMPLER_ARG: config.tracing?.ratio,
  };
}

function keyOf(source: KeySource | undefined): string | undefined {
  return source?.value;
}
