import { pino, symbols, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { BatchedLines } from './batched-lines.ts';

export type { Logger } from 'pino';

/** Fields that hold a secret wherever they turn up: a line that logs a whole request by mistake gives nothing away. */
const secretFields = new Set([
  'authorization',
  'x-api-key',
  'license_key',
  'licenseKey',
  'proxy_key',
  'proxyKey',
  'token',
  'password',
  'pass',
  'secret',
  'masterKey',
  'apiKey',
]);

/** How deep in what is logged they are looked for. */
const MAX_DEPTH = 4;

/** Keys as they would stand inside a text, such as an error's message. */
const secretText = /\b(?:(?:px|lat|whsec)_[0-9A-Za-z+/=_-]{8,}|LIC(?:-[0-9A-Z]{5}){2,}|sk-[\w-]{8,})/g;

/** The password of a URL: an error of a mail server or a store may quote where it was to go. */
const passwordInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s/@]+@/gi;

/** Takes keys out of a text that is about to be written. */
export function redactText(text: string): string {
  const withoutKeys = text.replaceAll(secretText, (key) => `${key.slice(0, 6)}[redacted]`);
  return withoutKeys.replaceAll(passwordInUrl, '$1[redacted]@');
}

/**
 * JSON lines on standard output; on a terminal, lines for people.
 * @param destination where else the lines go
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${isoTimeNow()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: object) => withoutSecrets(fields),
    },
    // For the bindings of child loggers, which the formatter does not see.
    redact: { paths: [...secretFields].map((field) => `["${field}"]`) },
    serializers: { err: serializeError },
  };
  if (destination !== undefined) return pino(options, destination);
  return process.stdout.isTTY
    ? pino(options, pretty({ sync: true, ignore: 'pid,hostname' }))
    : pino(options, new BatchedLines());
}

/**
 * Writes a line of fields that JSON has, as pino would write it, at half of its cost: pino joins each line of dozens of
 * pieces, and whoever writes it joins them again (docs/performance.md). What has an error goes through pino, which
 * knows how errors are written.
 * @param fields not none
 * @param msg a text of ours, with nothing in it to escape
 */
export function writeRecord(
  log: Logger,
  level: 'info' | 'warn' | 'error',
  fields: Readonly<Record<string, unknown>>,
  msg: string,
): void {
  if (!log.isLevelEnabled(level)) return;
  if (fields.err !== undefined) {
    log[level](fields, msg);
    return;
  }
  const members = JSON.stringify(withoutSecrets(fields)).slice(1, -1);
  const line = `{"level":"${level}","time":"${isoTimeNow()}",${members},"msg":"${msg}"}\n`;
  (log as unknown as { [symbols.streamSym]: DestinationStream })[symbols.streamSym].write(line);
}

let isoTimeOf = 0;
let isoTimeText = '';

/** Made once for all lines of a millisecond. */
function isoTimeNow(): string {
  const now = Date.now();
  if (now !== isoTimeOf) {
    isoTimeOf = now;
    isoTimeText = new Date(now).toISOString();
  }
  return isoTimeText;
}

/**
 * The same fields, secret ones replaced; what holds none is not copied. Pino's own `redact` took three quarters of a
 * line's time for its wildcard paths, and a third of all memory that a request allocates (docs/performance.md).
 */
function withoutSecrets(fields: object, depth = MAX_DEPTH): Record<string, unknown> {
  const given = fields as Record<string, unknown>;
  let clean = given;
  for (const name in given) {
    const value = given[name];
    const isSecret = secretFields.has(name) && value !== undefined;
    const shown = isSecret ? '[Redacted]' : withoutSecretsIn(value, depth);
    if (shown === value) continue;
    if (clean === given) clean = { ...given };
    clean[name] = shown;
  }
  return clean;
}

function withoutSecretsIn(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth === 0) return value;
  // An error's serializer writes only what it knows of; bytes have no fields.
  if (value instanceof Error || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map((item) => withoutSecretsIn(item, depth - 1));
  return withoutSecrets(value, depth - 1);
}

/** An error as it is logged: its own words and stack, keys taken out; not the query's values that drivers attach. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redactText(String(error));
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? String(error.code) : undefined;
  return {
    type: name,
    message: redactText(message),
    code,
    stack: redactText(stack ?? ''),
    ...(cause !== undefined && { cause: serializeError(cause) }),
  };
}
