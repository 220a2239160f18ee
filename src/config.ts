import { z } from 'zod';
import { mailSettings, mailContradictions, type MailConfig } from './config-mail.ts';
import { tracingFrom, tracingSettings } from './config-tracing.ts';
import type { TracingSettings } from './observe/tracing.ts';
import { mask, maskUrl, readSecretFiles, secretNames } from './config-secrets.ts';
import {
  apiKey,
  baseUrl,
  hosts,
  masterKeys,
  origins,
  publicUrl,
  redisUrls,
  storeUrl,
  text,
  wholeNumber,
  yesOrNo,
} from './config-values.ts';

/** One thing wrong with the settings, ready to print. */
export interface Problem {
  variable: string;
  /** What the variable holds, masked if it is a secret; undefined where it is missing. */
  holds: string | undefined;
  takes: string;
}

export type ProviderName = 'openai' | 'anthropic';

/** A provider's real key: its value, or the file that holds it and is read again when it changes. */
export type KeySource = { value: string } | { file: string; value: string };

/** Every setting, read once and frozen. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly internalPort: number;
  readonly proxyMode: boolean;
  readonly providerKeys: Readonly<Record<ProviderName, KeySource | undefined>>;
  readonly baseUrls: Readonly<Record<ProviderName, URL>>;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly redisPrefix: string;
  readonly redisTimeoutMs: number;
  readonly dataDir: string;
  readonly tiersFile: string | undefined;
  readonly adminToken: string | undefined;
  /** Encrypt the secrets that are stored, 32 bytes each, the one in force first; empty: none can be stored. */
  readonly masterKeys: readonly Buffer[];
  readonly protectedApiKey: string | undefined;
  readonly maxBodyBytes: number;
  readonly upstreamTimeoutMs: number;
  readonly trustProxy: number;
  /** Where clients reach the gateway, through what stands in front of it; undefined: not known here. */
  readonly publicUrl: URL | undefined;
  readonly corsOrigins: readonly string[];
  /** Hosts that webhooks may go to at private addresses and over plain http. */
  readonly webhookAllowedHosts: readonly string[];
  readonly shutdownDelayMs: number;
  readonly shutdownTimeoutMs: number;
  readonly proxyKeyGraceSeconds: number;
  readonly requireSignature: boolean;
  /** Whole months of usage that are kept before the current one; 0: all. */
  readonly usageRetentionMonths: number;
  readonly logLevel: string;
  /** Undefined: no mail can be sent. */
  readonly mail: MailConfig | undefined;
  readonly requireEmailVerification: boolean;
  /** Undefined: spans go nowhere. */
  readonly tracing: TracingSettings | undefined;
}

export type Loaded = { ok: true; config: Config } | { ok: false; problems: Problem[] };

/** Environment variables, an empty one counting as not set. */
export type Environment = Record<string, string | undefined>;

const MAX_TIMER_MS = 2_147_483_647;

const settings = {
  PORT: wholeNumber(0, 65_535, 8080),
  HOST: z
    .string()
    .regex(/^[\w.:%-]+$/)
    .default('0.0.0.0')
    .describe('an address or host name to listen on'),
  INTERNAL_PORT: wholeNumber(0, 65_535, 9464),
  PROXY_MODE: yesOrNo(true),
  OPENAI_API_KEY: apiKey('the OpenAI API key, without spaces'),
  ANTHROPIC_API_KEY: apiKey('the Anthropic API key, without spaces'),
  OPENAI_BASE_URL: baseUrl('https://api.openai.com'),
  ANTHROPIC_BASE_URL: baseUrl('https://api.anthropic.com'),
  DATABASE_URL: storeUrl(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/licensify'),
  REDIS_URL: redisUrls,
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w.-]+$/)
    .default('licensify')
    .describe('what every Redis key begins with: letters, digits, dot, dash, underscore'),
  REDIS_TIMEOUT_MS: wholeNumber(10, 60_000, 150),
  DATA_DIR: z.string().default('./data').describe('a folder that the gateway may write'),
  TIERS_FILE: text('the path of a TOML file'),
  ADMIN_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/)
    .optional()
    .describe('at least 16 characters without spaces (openssl rand -hex 32 makes one)'),
  MASTER_KEY: masterKeys,
  PROTECTED_API_KEY: apiKey('the key that direct mode hands out, without spaces'),
  MAX_BODY_BYTES: wholeNumber(1_024, 1_073_741_824, 33_554_432),
  UPSTREAM_TIMEOUT_MS: wholeNumber(100, MAX_TIMER_MS, 600_000),
  TRUST_PROXY: wholeNumber(0, 100, 0),
  PUBLIC_URL: publicUrl,
  CORS_ORIGINS: origins,
  WEBHOOK_ALLOWED_HOSTS: hosts,
  SHUTDOWN_DELAY_MS: wholeNumber(0, MAX_TIMER_MS, 0),
  SHUTDOWN_TIMEOUT_MS: wholeNumber(0, MAX_TIMER_MS, 30_000),
  ...mailSettings,
  REQUIRE_EMAIL_VERIFICATION: yesOrNo(true),
  PROXY_KEY_GRACE_SECONDS: wholeNumber(0, 31_536_000, 300),
  REQUIRE_SIGNATURE: yesOrNo(false),
  USAGE_RETENTION_MONTHS: wholeNumber(0, 1_200, 0),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('fatal, error, warn, info, debug, trace or silent'),
  ...tracingSettings,
};

const schema = z.object(settings);
type Settings = z.output<typeof schema>;

export type SettingName = keyof typeof settings;

/** Every variable that is a setting; the secret ones also have a `…_FILE` form. */
export const settingNames = Object.keys(settings) as SettingName[];

/** Validates all settings at once. Reads the environment and the files that `…_FILE` variables name. */
export function loadConfig(environment: Environment): Loaded {
  const { values, files, problems } = readSecretFiles(dropEmpty(environment));
  const parsed = schema.safeParse(values);
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => describeIssue(issue, values)));
  // What contradicts what is sound: a value that was refused above, or whose file cannot be read, has been told of.
  const told = new Set(problems.map(({ variable }) => variable.replace(/_FILE$/, '')));
  const found = contradictions(soundOnes(values), environment.NODE_ENV);
  problems.push(...found.filter(({ variable }) => !told.has(variable)));
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  return { ok: true, config: freeze(parsed.data, files) };
}

/** The one message of a start that bad settings stopped. */
export function explainProblems(problems: Problem[]): string {
  const lines = problems.map(({ variable, holds, takes }) => {
    const state = holds === undefined ? 'is not set' : `holds ${JSON.stringify(holds)}`;
    return `  ${variable} ${state}; it takes ${takes}.`;
  });
  return `The settings have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`;
}

function describeIssue(issue: z.core.$ZodIssue, values: Environment): Problem {
  const variable = String(issue.path[0]);
  const value = values[variable];
  const takes = (settings as Record<string, { description?: string | undefined } | undefined>)[variable]
    ?.description;
  return {
    variable,
    holds: value === undefined ? undefined : shown(variable, value),
    takes: takes ?? issue.message,
  };
}

function shown(variable: string, value: string): string {
  if (variable.endsWith('_URL') || variable.endsWith('_ENDPOINT')) return maskUrl(value);
  return secretNames.includes(variable) ? mask(value) : value;
}

/** Each setting that holds what it takes, or nothing and so its default. */
function soundOnes(values: Environment): Partial<Settings> {
  const parsed = settingNames.map((name) => [name, settings[name].safeParse(values[name])] as const);
  return Object.fromEntries(parsed.flatMap(([name, { success, data }]) => (success ? [[name, data]] : [])));
}

/** What does not go together; settings that are not sound are no part of it. */
function contradictions(values: Partial<Settings>, nodeEnv: string | undefined): Problem[] {
  const problems: Problem[] = [];
  if (values.PROXY_MODE === false && values.PROTECTED_API_KEY === undefined) {
    const takes = 'the key that direct mode (PROXY_MODE=false) hands out';
    problems.push({ variable: 'PROTECTED_API_KEY', holds: undefined, takes });
  }
  if (values.PORT !== undefined && values.PORT !== 0 && values.PORT === values.INTERNAL_PORT) {
    problems.push({ variable: 'INTERNAL_PORT', holds: String(values.PORT), takes: 'another port than PORT' });
  }
  if (values.REQUIRE_EMAIL_VERIFICATION === false && nodeEnv === 'production') {
    const takes = 'true where NODE_ENV is production: false lets anybody sign up in the name of any address';
    problems.push({ variable: 'REQUIRE_EMAIL_VERIFICATION', holds: 'false', takes });
  }
  return [...problems, ...mailContradictions(values)];
}

function freeze(values: Settings, files: Environment): Config {
  const keySource = (variable: 'OPENAI_API_KEY' | 'ANTHROPIC_API_KEY'): KeySource | undefined => {
    const value = values[variable];
    const file = files[variable];
    if (value === undefined) return undefined;
    return file === undefined ? { value } : { value, file };
  };
  return Object.freeze({
    port: values.PORT,
    host: values.HOST,
    internalPort: values.INTERNAL_PORT,
    proxyMode: values.PROXY_MODE,
    providerKeys: { openai: keySource('OPENAI_API_KEY'), anthropic: keySource('ANTHROPIC_API_KEY') },
    baseUrls: { openai: values.OPENAI_BASE_URL, anthropic: values.ANTHROPIC_BASE_URL },
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    redisPrefix: values.REDIS_PREFIX,
    redisTimeoutMs: values.REDIS_TIMEOUT_MS,
    dataDir: values.DATA_DIR,
    tiersFile: values.TIERS_FILE,
    adminToken: values.ADMIN_TOKEN,
    masterKeys: values.MASTER_KEY,
    protectedApiKey: values.PROTECTED_API_KEY,
    maxBodyBytes: values.MAX_BODY_BYTES,
    upstreamTimeoutMs: values.UPSTREAM_TIMEOUT_MS,
    trustProxy: values.TRUST_PROXY,
    publicUrl: values.PUBLIC_URL,
    corsOrigins: values.CORS_ORIGINS,
    webhookAllowedHosts: values.WEBHOOK_ALLOWED_HOSTS,
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    proxyKeyGraceSeconds: values.PROXY_KEY_GRACE_SECONDS,
    requireSignature: values.REQUIRE_SIGNATURE,
    usageRetentionMonths: values.USAGE_RETENTION_MONTHS,
    logLevel: values.LOG_LEVEL,
    mail: values.SMTP_URL && values.MAIL_FROM ? { url: values.SMTP_URL, from: values.MAIL_FROM } : undefined,
    requireEmailVerification: values.REQUIRE_EMAIL_VERIFICATION,
    tracing: tracingFrom(values),
  });
}

function dropEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}
