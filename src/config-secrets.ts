import { readFileSync } from 'node:fs';
import type { Environment, Problem } from './config.ts';

/** Settings that are secrets: masked wherever they are shown, and each can come from a file by `…_FILE`. */
export const secretNames: readonly string[] = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'PROTECTED_API_KEY',
  'ADMIN_TOKEN',
  'MASTER_KEY',
  'DATABASE_URL',
  'REDIS_URL',
  'SMTP_URL',
  'OTEL_EXPORTER_OTLP_HEADERS',
];

/** What the `…_FILE` variables point to, put where the plain variables would stand. */
export function readSecretFiles(environment: Environment): {
  values: Environment;
  /** The file of each secret that came from one, by the plain variable's name. */
  files: Environment;
  problems: Problem[];
} {
  const values = { ...environment };
  const files: Environment = {};
  const problems: Problem[] = [];
  for (const name of secretNames) {
    const variable = `${name}_FILE`;
    const file = environment[variable];
    if (file === undefined) continue;
    if (environment[name] !== undefined) {
      problems.push({
        variable,
        holds: file,
        takes: `effect only where ${name} is not set as well: keep one of the two`,
      });
      continue;
    }
    try {
      values[name] = readSecretFile(file);
      files[name] = file;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push({
        variable,
        holds: file,
        takes: `the path of a readable file that is not empty (${reason})`,
      });
    }
  }
  return { values, files, problems };
}

/**
 * A secret from a file, without the newline that editors put at its end.
 * @throws if the file cannot be read or holds nothing
 */
export function readSecretFile(file: string): string {
  const value = readFileSync(file, 'utf8').trim();
  if (value === '') throw new Error('the file is empty');
  return value;
}

/**
 * What a provider's key file holds until there is a key: deploy/secrets/generate puts it there, so that the file can be
 * mounted. It is no key, and is not tried as one.
 */
export const KEY_TO_COME = 'not-set-yet';

/** What an API key may be made of: it goes into a header. */
export const apiKeyPattern = /^[\x21-\x7e]+$/;

/**
 * An API key from a file. What cannot be one, such as a page or half a file, is no reason to use it on every request.
 * @throws if the file cannot be read or holds no key
 */
export function readKeyFile(file: string): string {
  const value = readSecretFile(file);
  if (!apiKeyPattern.test(value))
    throw new Error('the file holds no key, which has neither spaces nor lines');
  return value;
}

/**
 * The master keys that MASTER_KEY lists, the one in force first; undefined if one of them is none: 32 bytes, as 64
 * hexadecimal digits or in base64 (with `+/` or `-_`, padded or not).
 */
export function parseMasterKeys(list: string): Buffer[] | undefined {
  const keys = list.split(',').map((item) => parseMasterKey(item.trim()));
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function parseMasterKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** A secret as it may be shown: its last four characters at most. */
export function mask(secret: string): string {
  return secret.length < 12 ? '****' : `****${secret.slice(-4)}`;
}

/** A connection string without its passwords, or something to print in its place if it is none. */
export function maskUrl(value: string): string {
  // Several nodes of a Redis Cluster stand side by side; other URLs may hold a comma of their own.
  const items = value.split(',');
  const areUrls = items.length > 1 && items.every((item) => /^\s*rediss?:\/\//.test(item));
  return areUrls ? items.map(maskOneUrl).join(',') : maskOneUrl(value);
}

function maskOneUrl(value: string): string {
  // Without its slashes, user:password@host is a URL as well, of the scheme "user".
  if (!URL.canParse(value) || !value.includes('://')) return '****';
  const parsed = new URL(value);
  if (parsed.password !== '') parsed.password = '****';
  // PostgreSQL and Redis take them as parameters too: ?password=…, ?sslpassword=….
  for (const name of new Set(parsed.searchParams.keys())) {
    if (/pass|secret|token|key/i.test(name)) parsed.searchParams.set(name, '****');
  }
  return parsed.href;
}
